import Glibc

/// The file of a socket that a library binds: rights, and the name at which programs find it.
package struct SocketFile: Sendable {
  package let path: String
  /// `nil`: that of the process.
  package let group: UInt32?
  package let mode: UInt32

  package init(path: String, group: UInt32?, mode: UInt32) {
    (self.path, self.group, self.mode) = (path, group, mode)
  }

  /// Where the library binds; no program looks there.
  package var provisionalPath: String { path + ".new" }

  /// Throws `socketInUse` where a program listens at the path, `noSocket` where something else lies there.
  package func requireFree() throws(HostError) {
    try LocalListener.requireAbandoned(path)
    try LocalListener.requireAbandoned(provisionalPath)
  }

  /// Gives what was bound at `provisionalPath` its rights, and then its name.
  package func place() throws(HostError) {
    try LocalListener.setRights(of: provisionalPath, group: group, mode: mode)
    guard unsafe rename(provisionalPath, path) == 0 else {
      throw .system(call: "rename", subject: path, code: errno)
    }
  }

  package func remove() throws(HostError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw .system(call: "unlink", subject: path, code: errno)
    }
  }
}
