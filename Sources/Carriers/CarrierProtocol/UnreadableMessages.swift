package import Mailboxes
package import MessageFormat
import Sealing

/// Messages whose bytes could not be read: each is passed over for a while, and what is behind it goes on.
package struct UnreadableMessages {
  private static let pause: Duration = .seconds(60)

  private var ends: [MessageID: ContinuousClock.Instant] = [:]

  package init() {}

  package var count: Int { ends.count }

  /// When the next of them is to be tried again.
  package var nextEnd: ContinuousClock.Instant? { ends.values.min() }

  package func contains(_ id: MessageID) -> Bool { ends[id] != nil }

  package mutating func add(_ id: MessageID, at now: ContinuousClock.Instant) {
    ends[id] = now + Self.pause
  }

  package mutating func forgetEnded(at now: ContinuousClock.Instant) {
    if ends.contains(where: { $0.value <= now }) { ends = ends.filter { $0.value > now } }
  }
}

extension StoredMessage {
  /// As `open`, and its header is the one that its name was made of: any other is refused wherever it goes.
  package func openVerified() throws(MailboxError) -> StoredChunks {
    let chunks = try open()
    guard MessageID(ofHeader: try chunks[0]) == id else { throw .missing(id) }
    return chunks
  }
}
