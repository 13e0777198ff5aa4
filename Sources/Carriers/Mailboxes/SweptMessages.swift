import Diagnostics
package import Logging
package import MessageFormat

/// What a sweep has discarded, for the log.
package struct SweptMessages: Sendable {
  private static let namedCountMax = 8

  package private(set) var messageCount = 0
  package private(set) var mailboxes: Set<Mailbox> = []

  mutating func add(_ holders: [Mailbox]) {
    messageCount += 1
    mailboxes.formUnion(holders)
  }

  /// For a line of the log.
  package var fields: Logger.Metadata {
    ["count": .number(messageCount), "mailboxes": "\(mailboxText)"]
  }

  /// In which they lay.
  package var mailboxText: String {
    let names = mailboxes.map(\.abbreviated).sorted()
    let others = names.count - Self.namedCountMax
    return names.prefix(Self.namedCountMax).joined(separator: ", ")
      + (others > 0 ? " and \(others) more" : "")
  }
}
