import Glibc

/// Which content a file has, as far as stat(2) tells: equal only where nothing has changed.
package struct FileVersion: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64
  private let size: Int64
  /// Seconds and nanoseconds; `changed` moves whatever is done to a file.
  private let modified: [Int]
  private let changed: [Int]

  init(_ status: stat) {
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    size = Int64(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }

  /// `nil`: there is nothing at the path, or nothing that we may look at.
  package static func of(_ path: String) -> FileVersion? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? FileVersion(status) : nil
  }
}

/// A small file with a secret, read together with what its rights were at that moment.
package struct PrivateFile: Sendable {
  package let bytes: [UInt8]
  /// Permission bits, 0o7777.
  package let mode: UInt32
  package let owner: UInt32
  package let version: FileVersion

  /// Reads no more than one byte over `byteCountMax`, and waits for nothing: no FIFO, no device.
  package init(_ path: String, byteCountMax: Int) throws(HostError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .system(call: "open", subject: path, code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system(call: "fstat", subject: path, code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .system(call: "read", subject: path, code: EINVAL)
    }
    var bytes = [UInt8](repeating: 0, count: byteCountMax + 1)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw .system(call: "read", subject: path, code: errno) }
    self.bytes = Array(bytes.prefix(count))
    (mode, owner) = (status.st_mode & 0o7777, status.st_uid)
    version = FileVersion(status)
  }

  /// Whether another user than ours, or root, can read it.
  package var isReadByOthers: Bool {
    mode & 0o077 != 0 || (owner != FileRights.user && owner != 0)
  }
}
