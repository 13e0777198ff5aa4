import Host
import MessageFormat
import Synchronization

/// The time of the simulated world, which only the simulation moves.
final class WorldClock: Sendable {
  /// Where every instant of a run counts from: what the program compares with it was given out here as well.
  let origin = ContinuousClock.now
  private let elapsed = Mutex<UInt64>(0)

  var milliseconds: UInt64 { elapsed.withLock { $0 } }

  var instant: ContinuousClock.Instant { origin + .milliseconds(Int64(milliseconds)) }

  /// The first moment that is not before it.
  func milliseconds(of instant: ContinuousClock.Instant) -> UInt64 {
    UInt64(max(0, (instant - origin) / .milliseconds(1)).rounded(.up))
  }

  func advance(milliseconds more: UInt64) { elapsed.withLock { $0 += more } }
}

/// The time of day that one machine believes in.
final class HostClock: Sendable {
  private static let begin: UInt64 = 1_700_000_000_000
  let world: WorldClock
  private let ahead = Mutex<Int64>(0)
  private let boot = Mutex<(number: Int, begin: UInt64)>((0, 0))
  private let stepped = Mutex<UInt64?>(nil)

  init(_ world: WorldClock) { self.world = world }

  var now: Timestamp {
    let right = Int64(Self.begin + world.milliseconds)
    return Timestamp(milliseconds: UInt64(max(0, right + ahead.withLock { $0 })))
  }

  var instant: ContinuousClock.Instant { world.instant }

  /// A machine has been up for a while when the world begins.
  var sinceBoot: BootTime {
    let (number, begin) = boot.withLock { $0 }
    return BootTime(boot: "boot \(number)", milliseconds: world.milliseconds - begin + 100_000)
  }

  func reboot() {
    boot.withLock { $0 = ($0.number + 1, world.milliseconds) }
  }

  /// By how much it is wrong.
  var aheadMilliseconds: Int64 { ahead.withLock { $0 } }

  /// When it was last set, in the world's time.
  var steppedAt: UInt64? { stepped.withLock { $0 } }

  func set(aheadByMilliseconds milliseconds: Int64) {
    ahead.withLock { $0 = milliseconds }
    stepped.withLock { $0 = world.milliseconds }
  }
}

extension HostClock {
  /// For the simulation's own agenda.
  var worldMilliseconds: UInt64 { world.milliseconds }
}
