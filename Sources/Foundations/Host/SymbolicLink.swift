import Glibc

/// A symbolic link itself, not what it leads to.
package enum SymbolicLink {
  /// Where it leads, as it is written (readlink(2)); `nil`: there is no link at the path.
  package static func target(of path: String) throws(HostError) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, buffer.count - 1)
    guard count < 0 else {
      return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    guard [EINVAL, ENOENT, ENOTDIR].contains(errno) else {
      throw .system(call: "readlink", subject: path, code: errno)
    }
    return nil
  }

  /// A link that leads to `target`, in the place of one that may be there, in one step; on the disk when this returns. What is there
  /// and is no link stays, and is an error.
  package static func replace(_ path: String, with target: String) throws(HostError) {
    let new = path + ".new"
    guard unsafe unlink(new) == 0 || errno == ENOENT else {
      throw .system(call: "unlink", subject: new, code: errno)
    }
    guard unsafe symlink(target, new) == 0 else {
      throw .system(call: "symlink", subject: new, code: errno)
    }
    var status = stat()
    if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFLNK {
      throw .system(call: "symlink", subject: path, code: EEXIST)
    }
    guard unsafe rename(new, path) == 0 else {
      throw .system(call: "rename", subject: path, code: errno)
    }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(call: "open", subject: parent, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(call: "fsync", subject: parent, code: errno) }
  }
}
