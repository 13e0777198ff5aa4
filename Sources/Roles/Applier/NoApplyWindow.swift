import Foundation
package import MessageFormat

/// A time of each week, or of each day, in which nothing is applied: `Fri 16:00 - Mon 08:00 Europe/Berlin`, or
/// `22:00 - 06:00 UTC`.
package struct NoApplyWindow: Hashable, Sendable, CustomStringConvertible {
  private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

  private struct Point: Hashable {
    /// As `Calendar` counts: 1 is Sunday; `nil`: each day.
    let weekday: Int?
    let hour: Int
    let minute: Int

    var components: DateComponents {
      DateComponents(hour: hour, minute: minute, second: 0, weekday: weekday)
    }

    /// Minutes since the week's, or the day's, beginning.
    var position: Int { ((weekday.map { $0 - 1 } ?? 0) * 24 + hour) * 60 + minute }
  }

  package let description: String
  private let begin: Point
  private let end: Point
  private let zone: TimeZone

  /// `nil`: not of this form, or a zone that this machine does not know (tzfile(5)).
  package init?(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard let dash = words.firstIndex(of: "-"), let name = words.last,
      let begin = Self.point(words[..<dash]), let end = Self.point(words[(dash + 1)...].dropLast()),
      (begin.weekday == nil) == (end.weekday == nil), begin != end,
      let zone = TimeZone(identifier: name)
    else { return nil }
    (description, self.begin, self.end, self.zone) = (text, begin, end, zone)
  }

  private static func point(_ words: ArraySlice<String>) -> Point? {
    guard let clock = words.last, (1...2).contains(words.count) else { return nil }
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int(parts[0]),
      let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    guard words.count == 2, let day = words.first else {
      return Point(weekday: nil, hour: hour, minute: minute)
    }
    guard let index = days.firstIndex(of: day.lowercased()) else { return nil }
    return Point(weekday: index + 1, hour: hour, minute: minute)
  }

  /// When it ends that is open at this time; `nil`: none is.
  package func end(at now: Timestamp) -> Timestamp? {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let date = Date(timeIntervalSince1970: Double(now.milliseconds) / 1_000)
    let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date)
    guard let hour = parts.hour, let minute = parts.minute else { return nil }
    let position = Point(
      weekday: begin.weekday == nil ? nil : parts.weekday, hour: hour, minute: minute
    ).position
    let isInside =
      begin.position < end.position
      ? (begin.position..<end.position).contains(position)
      : position >= begin.position || position < end.position
    guard isInside,
      let next = calendar.nextDate(
        after: date, matching: end.components, matchingPolicy: .nextTime)
    else { return nil }
    return Timestamp(milliseconds: UInt64(max(0, next.timeIntervalSince1970)) * 1_000)
  }
}
