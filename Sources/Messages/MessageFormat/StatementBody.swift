/// What a statement says: one conformance for each type of statement (docs/message-format.md, "Statement").
package protocol StatementBody: Sendable {
  /// The type that is signed with the body, so that no body passes for one of another type.
  static var statementType: String { get }

  /// The identity that must have signed it.
  var author: Mailbox { get }

  /// The one canonical form.
  func encoded() -> [UInt8]

  /// Throws for every form but the canonical one.
  init(decoding bytes: [UInt8]) throws(FormatError)
}

/// A body that names its recipients and ends at a time: a recipient cannot pass it on.
package protocol AddressedBody: StatementBody {
  var recipients: [Mailbox] { get }
  var createdAt: Timestamp { get }
  var expiresAt: Timestamp { get }
}
