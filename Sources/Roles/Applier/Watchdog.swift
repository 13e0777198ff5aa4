import Diagnostics
import Foundation
import Host
import Logging
import Synchronization

/// Ends the program when one step takes longer than its deadline: nothing else stops an endless loop in a C library.
///
/// The service manager starts it again; what was in hand is counted, so it does not come a third time.
package final class Watchdog: Sendable {
  /// sysexits.h, EX_SOFTWARE: for the service manager's log.
  static let exitStatus: Int32 = 70

  /// For noting what was in hand.
  private static let noteTimeout: Duration = .seconds(5)

  /// What is in hand is read, checked, expanded, written and synced: so much of it a second is done by the slowest disks.
  private static let bytesPerSecondMin: UInt64 = 256 << 10

  private let deadline: Duration
  private let log: Logger
  private let generation = Mutex<UInt64>(0)

  init(deadline: Duration, log: Logger) {
    self.deadline = deadline
    self.log = log
  }

  /// The configured one for what is small, and longer for what is large.
  package static func deadline(_ deadline: Duration, forByteCount byteCount: UInt64) -> Duration {
    deadline + .seconds(Int64(clamping: byteCount / bytesPerSecondMin))
  }

  /// `byteCount`: of the sealed messages in hand. `onExpiry` is called, on another thread, before the program ends.
  func watch<Value>(
    byteCount: UInt64, onExpiry: @escaping @Sendable () -> Void = {}, _ body: () throws -> Value
  ) rethrows -> Value {
    let deadline = Self.deadline(deadline, forByteCount: byteCount)
    let current = generation.withLock { value in
      value += 1
      return value
    }
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + .nanoseconds(Int(deadline / .nanoseconds(1))))
    timer.setEventHandler { [self, deadline] in
      guard generation.withLock({ $0 == current }) else { return }
      log.report(.deadlineExceeded, ["deadline": "\(deadline)"])
      LastWord.say(within: Self.noteTimeout, onExpiry)
      // Not exit(3): its handlers would run while the other thread is at work.
      _exit(Self.exitStatus)
    }
    timer.resume()
    defer {
      generation.withLock { $0 += 1 }
      timer.cancel()
    }
    return try body()
  }
}
