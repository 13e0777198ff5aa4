/// Milliseconds since 1970-01-01 00:00 UTC, as every time in a message is written.
package struct Timestamp: Hashable, Sendable, Comparable {
  package let milliseconds: UInt64

  package init(milliseconds: UInt64) {
    self.milliseconds = milliseconds
  }

  /// Stops at the last representable time instead of wrapping.
  package func adding(milliseconds more: UInt64) -> Timestamp {
    let (sum, overflow) = milliseconds.addingReportingOverflow(more)
    return Timestamp(milliseconds: overflow ? .max : sum)
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }
}
