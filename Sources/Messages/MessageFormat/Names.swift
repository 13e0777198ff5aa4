/// 32 bytes that name something: a BLAKE2b-256 digest of what it stands for.
///
/// The tag keeps names of different things apart; only the aliases below are used.
package struct Name<Thing>: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// `nil` unless there are exactly 32 bytes.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == nameByteCount else { return nil }
    self.bytes = bytes
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The first twelve digits, as people read them; never for comparing.
  package var abbreviated: String { String(hex.prefix(12)) }

  package var description: String { hex }
}

package let nameByteCount = 32

package enum MailboxThing: Sendable {}
package enum MessageThing: Sendable {}
package enum ContentThing: Sendable {}
package enum SlotThing: Sendable {}

/// The mailbox of one identity: its fingerprint.
package typealias Mailbox = Name<MailboxThing>
/// A sealed message on its way: the digest of its chunk 0 (docs/message-format.md, "Sealed message").
package typealias MessageID = Name<MessageThing>
/// The digest of a message's bytes or of its payload as sealed.
package typealias ContentDigest = Name<ContentThing>
/// Where a depositor keeps one message at a time in a mailbox; means nothing to the carrier.
package typealias Slot = Name<SlotThing>

extension Name where Thing == SlotThing {
  /// One that tells a carrier nothing.
  package static func random() -> Slot {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<nameByteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    guard let slot = Slot(bytes) else { preconditionFailure("32 bytes are a name") }
    return slot
  }
}
