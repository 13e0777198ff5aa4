import Foundation
import MessageFormat
import Signer

/// Sent messages as lines for people and as JSON for machines.
enum StatusReport {
  /// `web1: main 0123456789ab applied (number 3, patch, 412 bytes)`.
  static func line(_ message: SentMessage) -> String {
    let branch = message.stream.branch.shortName
    let size = "number \(message.sequence), \(message.kind), \(Quantity.bytes(message.byteCount))"
    return
      "\(message.recipientName): \(branch) \(message.after.abbreviated) \(state(of: message)) (\(size))"
  }

  /// The last word on one recipient: of the message that brings it to the target, or that it needs none.
  static func line(_ arrival: Arrivals.Arrival) -> String {
    if arrival.state == .underway, let message = arrival.message, !message.state.isOpen {
      return "\(arrival.name): \(arrival.branch.shortName) \(arrival.target.abbreviated) underway: "
        + "it was elsewhere, and is being sent what it lacks"
    }
    if let message = arrival.message, message.after == arrival.target || !arrival.isUpToDate {
      return line(message)
    }
    let state = arrival.isUpToDate ? "up to date" : "nothing was sent"
    return
      "\(arrival.name): \(arrival.branch.shortName) \(arrival.target.abbreviated) \(state)"
  }

  static func state(of message: SentMessage) -> String {
    switch message.state {
    case .waiting: "waits in the outbox"
    case .stored: "stored, no receipt yet"
    case .applied: "applied"
    case .behind: "behind: it is at another revision"
    case .superseded: "superseded by a later message"
    case .refused: "refused: \(message.refusal ?? "?"): \(Terminal.harmless(message.detail ?? ""))"
    }
  }

  static func json(_ arrivals: [Arrivals.Arrival]) throws -> String {
    try encoded(arrivals.compactMap(\.message).map { Row($0) })
  }

  static func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func time(_ timestamp: Timestamp) -> String {
    date(timestamp).formatted(.iso8601)
  }

  private static func date(_ timestamp: Timestamp) -> Date {
    Date(timeIntervalSince1970: Double(timestamp.milliseconds) / 1_000)
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  struct Row: Encodable {
    let message: String
    let remote: String
    let ref: String
    let sequence: UInt64
    let before: String?
    let after: String
    let kind: String
    let bytes: UInt64
    let recipient: String
    let recipientFingerprint: String
    let state: String
    let sent: String
    let stored: String?
    let finished: String?
    let refusal: String?
    let detail: String?
    let revision: String?

    init(_ message: SentMessage) {
      self.message = message.id.hex
      remote = message.stream.remote.text
      ref = message.stream.branch.fullName
      sequence = message.sequence
      before = message.before?.hex
      after = message.after.hex
      kind = message.kind
      bytes = message.byteCount
      recipient = message.recipientName
      recipientFingerprint = message.recipient.hex
      state = message.state.rawValue
      sent = time(message.createdAt)
      stored = message.storedAt.map { time($0) }
      finished = message.finishedAt.map { time($0) }
      refusal = message.refusal
      detail = message.detail
      revision = message.revision?.hex
    }
  }
}

extension Arrivals.Arrival {
  fileprivate var isUpToDate: Bool { state == .upToDate }
}
