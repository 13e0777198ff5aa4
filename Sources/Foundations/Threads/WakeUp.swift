import Glibc

/// What another thread rings to wake one that waits for a descriptor: a socketpair(2), since Swift's Glibc has neither
/// eventfd nor pipe2.
///
/// Several signals before a `clear` count as one. No signal is lost: clear first, then look at what
/// has changed.
package final class WakeUp: Sendable {
  /// Can be read while it rings: for a poll of several descriptors.
  package let readingEnd: Int32
  private let writingEnd: Int32

  package init() throws(ThreadError) {
    var ends: (reading: Int32, writing: Int32) = (-1, -1)
    let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let type = Int32(SOCK_STREAM.rawValue | flags)
    let code = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
      unsafe socketpair(AF_UNIX, type, 0, bytes.bindMemory(to: Int32.self).baseAddress)
    }
    guard code == 0 else { throw ThreadError(.wakeUp, code: errno) }
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

  /// Returns when it rings, when there is something to read at `descriptor`, or then. What has rung is cleared.
  package func wait(until end: ContinuousClock.Instant, reading descriptor: Int32? = nil) {
    var entries = [pollfd(fd: readingEnd, events: Int16(POLLIN), revents: 0)]
    if let descriptor {
      entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
    }
    // Rounded up: who waits for an instant is not to turn in a circle just before it.
    let milliseconds = max(0, ((end - .now) / .milliseconds(1)).rounded(.up))
    _ = unsafe poll(&entries, nfds_t(entries.count), Int32(min(milliseconds, 60_000)))
    if entries[0].revents != 0 { clear() }
  }
}
