import Glibc
import Synchronization

/// A file that grows at its end and is known by its name: when it is moved away or removed, as by logrotate(8), the next
/// line begins a new one.
package final class LogFile: Sendable {
  private let path: String
  private let opened: Mutex<Opened>

  /// Makes the file, with 0640 as far as the umask lets it, where it is missing.
  package init(_ path: String) throws(HostError) {
    self.path = path
    opened = Mutex(try Opened(path))
  }

  /// In one write(2), so that lines of several threads and processes stay whole.
  package func append(_ line: [UInt8]) throws(HostError) {
    try opened.withLock { opened throws(HostError) in
      if !opened.isStill(at: path) {
        do {
          opened = try Opened(path)
        } catch {
          // Where it lies now is a better place for it than none.
        }
      }
      guard unsafe write(opened.descriptor, line, line.count) == line.count else {
        throw .system(call: "write", subject: path, code: errno)
      }
    }
  }
}

private struct Opened: ~Copyable {
  let descriptor: Int32
  private let device: dev_t
  private let inode: ino_t

  init(_ path: String) throws(HostError) {
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .system(call: "open", subject: path, code: errno) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(call: "fstat", subject: path, code: code)
    }
    (device, inode) = (status.st_dev, status.st_ino)
  }

  deinit { close(descriptor) }

  func isStill(at path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode
  }
}
