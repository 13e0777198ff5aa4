import Foundation
import MessageFormat

/// The machine's wall clock, which may be set.
enum WallClock {
  @Sendable static func now() -> Timestamp {
    Timestamp(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)))
  }
}
