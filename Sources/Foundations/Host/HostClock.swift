import CLinux
import Glibc

/// The machine's clocks.
package enum HostClock {
  /// Whether something disciplines the wall clock, an NTP daemon most likely: the kernel says so itself (adjtimex(2)).
  package static func isSynchronized() throws(HostError) -> Bool {
    var state = timex()
    let code = unsafe adjtimex(&state)
    guard code >= 0 else { throw .system(call: "adjtimex", subject: "clock", code: errno) }
    return code != TIME_ERROR && state.status & STA_UNSYNC == 0
  }

  /// Microseconds of CLOCK_MONOTONIC, as sd_notify(3) wants them for a reload.
  package static func monotonicMicroseconds() throws(HostError) -> UInt64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0 else {
      throw .system(call: "clock_gettime", subject: "clock", code: errno)
    }
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
  }
}
