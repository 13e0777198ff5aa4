import Foundation
import GitModel

/// One message for people: all that happened within a short time.
package struct Notice: Codable, Equatable, Sendable {
  /// Named one by one, in all forms of it.
  package static let eventCountMax = 1_000

  /// The same however often it is sent.
  package let id: String
  /// Milliseconds since 1970.
  package let created: UInt64
  /// Of everything, by name.
  package let counts: [String: Int]
  /// Problems first.
  package let events: [NoticeEvent]
  /// How many are not named.
  package let omitted: Int

  package init(_ events: [NoticeEvent], id: String, at created: UInt64) {
    (self.id, self.created) = (id, created)
    counts = Dictionary(events.map { ($0.kind.rawValue, 1) }, uniquingKeysWith: +)
    let sorted = events.enumerated().sorted {
      (Self.rank($0.element.kind), $0.offset) < (Self.rank($1.element.kind), $1.offset)
    }.map(\.element)
    self.events = Array(sorted.prefix(Self.eventCountMax))
    omitted = max(0, sorted.count - Self.eventCountMax)
  }

  private static func rank(_ kind: NoticeKind) -> Int {
    let order: [NoticeKind] = [
      .refused, .hostUnreachable, .unseen, .stale, .rolledBack, .recovered, .applied,
    ]
    return order.firstIndex(of: kind) ?? order.count
  }

  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self))
  }
}
