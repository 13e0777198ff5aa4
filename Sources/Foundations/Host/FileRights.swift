import Glibc

/// Whose a file is, and what this process may do with it.
package struct FileRights: Sendable, Equatable {
  /// Permission bits, 0o7777.
  package let mode: UInt32
  package let owner: UInt32
  package let group: UInt32
  package let isDirectory: Bool
  package let modifiedSeconds: Int
  /// For a directory: whether names can be made in it.
  package let isWritable: Bool

  /// `nil`: there is nothing at the path.
  package static func of(_ path: String) throws(HostError) -> FileRights? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .system(call: "stat", subject: path, code: errno)
    }
    return FileRights(
      mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid,
      isDirectory: status.st_mode & S_IFMT == S_IFDIR, modifiedSeconds: status.st_mtim.tv_sec,
      isWritable: unsafe access(path, W_OK) == 0)
  }

  /// Whether the file cannot be changed or replaced, whatever its rights: chattr(1), `i` and `a`.
  package static func isImmutable(_ path: String) -> Bool {
    unsafe access(path, W_OK) != 0 && errno == EPERM
  }

  /// Who we are.
  package static var user: UInt32 { geteuid() }
}
