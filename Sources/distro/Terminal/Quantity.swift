import MessageFormat

/// Figures as people read them. JSON has exact ones.
enum Quantity {
  /// `412 bytes`, `2.0 MB`, `300 MB`: powers of ten, as disks and networks are sold.
  static func bytes(_ count: UInt64) -> String {
    if count < 1_000 { return count == 1 ? "1 byte" : "\(count) bytes" }
    var (value, unit) = (Double(count) / 1_000, "kB")
    for larger in ["MB", "GB", "TB", "PB"] where value >= 999.5 {
      (value, unit) = (value / 1_000, larger)
    }
    let tenths = Int((value * 10).rounded())
    return tenths < 100
      ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(Int(value.rounded())) \(unit)"
  }

  /// `now`, `3 s ago`, `5 min ago`, `2 h ago`, `9 d ago`; a time ahead of `now`, as it stands.
  static func age(of time: Timestamp, at now: Timestamp) -> String {
    guard time.milliseconds <= now.milliseconds + 1_000 else { return StatusReport.time(time) }
    let age = now.milliseconds - min(time.milliseconds, now.milliseconds)
    return age < 1_000 ? "now" : "\(duration(milliseconds: age)) ago"
  }

  /// `in 3 s`, `now`.
  static func wait(until time: Timestamp, at now: Timestamp) -> String {
    guard time.milliseconds > now.milliseconds else { return "now" }
    return "in \(duration(milliseconds: time.milliseconds - now.milliseconds))"
  }

  private static func duration(milliseconds: UInt64) -> String {
    let seconds = max(1, milliseconds / 1_000)
    switch seconds {
    case ..<120: return "\(seconds) s"
    case ..<7_200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3_600) h"
    default: return "\(seconds / 86_400) d"
    }
  }
}
