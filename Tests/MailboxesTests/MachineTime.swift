import Host
import MessageFormat
import Synchronization

/// A machine's two clocks, of which the test sets one.
final class MachineTime: Sendable {
  private struct State {
    var boot = 1
    var uptime: UInt64 = 1_000_000
    var wall: Int64 = 1_700_000_000_000
  }

  private let state = Mutex(State())

  var wall: Timestamp {
    Timestamp(milliseconds: UInt64(clamping: state.withLock { $0.wall }))
  }

  var sinceBoot: @Sendable () -> BootTime {
    { [self] in
      state.withLock { BootTime(boot: "boot \($0.boot)", milliseconds: $0.uptime) }
    }
  }

  func advance(milliseconds: UInt64) {
    state.withLock {
      $0.uptime += milliseconds
      $0.wall += Int64(milliseconds)
    }
  }

  /// Somebody sets the wall clock.
  func step(milliseconds: Int64) { state.withLock { $0.wall += milliseconds } }

  /// The machine was off for `pause`, and has been up for `uptime`.
  func reboot(pause: UInt64 = 0, uptime: UInt64 = 1_000) {
    state.withLock {
      $0.boot += 1
      $0.wall += Int64(pause + uptime)
      $0.uptime = uptime
    }
  }
}
