import Glibc

/// A private directory (0700) of files whose names we choose.
package struct SpoolDirectory: Sendable {
  package let path: String

  /// Makes it, and the directories above it, where they are missing.
  package init(_ path: String) throws(SpoolError) {
    self.path = path
    try Self.make(path)
  }

  /// One that is there or not: for looking, which makes nothing.
  package init(existing path: String) { self.path = path }

  /// `false`: moved away, or what it is mounted on is.
  package var isThere: Bool { unsafe access(path, F_OK) == 0 }

  package func path(of name: String) -> String { path + "/" + name }

  /// A name that is not there is no error: the step may be a repeated one.
  package func remove(_ name: String) throws(SpoolError) {
    guard unsafe unlink(path(of: name)) == 0 || errno == ENOENT else {
      throw .cannot(operation: "remove", path: path(of: name), code: errno)
    }
  }

  package func names() throws(SpoolError) -> [String] {
    var names: [String] = []
    try forEachName(in: path) { (name, _) throws(SpoolError) in names.append(name) }
    return names.sorted()
  }

  /// The names that were given and taken are on the disk (fsync(2)).
  package func sync() throws(SpoolError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannot(operation: "open", path: path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .cannot(operation: "sync", path: path, code: errno) }
  }

  private static func make(_ path: String) throws(SpoolError) {
    if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    let code = errno
    guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw .cannot(operation: "make the directory", path: path, code: code)
    }
    try make(String(path[..<slash]))
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw .cannot(operation: "make the directory", path: path, code: errno)
    }
  }
}
