import Glibc

/// What another thread rings to wake a `Poller`: a socketpair(2), since Swift's Glibc has neither
/// eventfd nor pipe2.
///
/// Many signals before one `clear` are one. A signal is never lost: clear first, then look at what
/// has changed.
package final class WakeUp: Sendable {
  let readingEnd: Int32
  private let writingEnd: Int32

  package init() throws(ZeroMQError) {
    var ends: (reading: Int32, writing: Int32) = (-1, -1)
    let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let type = Int32(SOCK_STREAM.rawValue | flags)
    let code = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
      unsafe socketpair(AF_UNIX, type, 0, bytes.bindMemory(to: Int32.self).baseAddress)
    }
    guard code == 0 else { throw .system(call: "socketpair", code: errno) }
    (readingEnd, writingEnd) = ends
  }

  deinit {
    close(readingEnd)
    close(writingEnd)
  }

  /// From any thread.
  package func signal() {
    var byte: UInt8 = 1
    while unsafe write(writingEnd, &byte, 1) < 0 {
      // What is full is ringing already.
      if errno == EAGAIN { return }
      precondition(errno == EINTR, "a pair of sockets takes what is written to it")
    }
  }

  /// Whether it was ringing.
  @discardableResult
  package func clear() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 64)
    var wasRinging = false
    while true {
      let count = unsafe read(readingEnd, &bytes, bytes.count)
      if count > 0 { wasRinging = true }
      if count == bytes.count || (count < 0 && errno == EINTR) { continue }
      return wasRinging
    }
  }
}
