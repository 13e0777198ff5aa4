import Glibc

/// A file that is made, and removed again unless it is kept; or one that goes on with what it holds, and stays.
struct DownloadFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private var isKept: Bool

  /// `resuming`: it may be there; what it holds behind `start` is dropped.
  init(_ path: String, resuming: Bool = false, from start: UInt64 = 0) throws(WebError) {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (resuming ? O_APPEND : O_EXCL)
    let number = unsafe open(path, flags, 0o600)
    guard number >= 0 else { throw .file(path: path, code: errno) }
    guard ftruncate(number, off_t(start)) == 0 else {
      let code = errno
      close(number)
      throw .file(path: path, code: code)
    }
    (self.path, descriptor, isKept) = (path, number, resuming)
  }

  deinit {
    close(descriptor)
    if !isKept { unsafe unlink(path) }
  }

  /// 0 where there is no file.
  static func byteCount(of path: String) throws(WebError) -> UInt64 {
    var status = stat()
    guard unsafe lstat(path, &status) != 0 else { return UInt64(status.st_size) }
    guard errno == ENOENT else { throw .file(path: path, code: errno) }
    return 0
  }

  func write(_ bytes: [UInt8]) throws(WebError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), bytes.count - done)
      }
      guard count > 0 || errno == EINTR else { throw .file(path: path, code: errno) }
      done += max(0, count)
    }
  }

  mutating func keep() { isKept = true }
}
