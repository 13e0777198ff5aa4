import CLinux
import Foundation
import Glibc

/// How long the machine has been up, suspended or not: a clock that cannot be set.
///
/// Times of two boots cannot be compared.
package struct BootTime: Hashable, Sendable {
  /// Which boot; where the system does not say, each run of the program has one of its own.
  package let boot: String
  package let milliseconds: UInt64

  package init(boot: String, milliseconds: UInt64) {
    self.boot = boot
    self.milliseconds = milliseconds
  }

  package static func now() -> BootTime {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_BOOTTIME, &time) == 0 else {
      return BootTime(boot: "", milliseconds: 0)
    }
    return BootTime(
      boot: currentBoot,
      milliseconds: UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000)
  }

  /// random(4), "/proc interfaces".
  private static let currentBoot: String = {
    do {
      return try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    } catch {
      return "run \(UInt64.random(in: .min ... .max))"
    }
  }()
}
