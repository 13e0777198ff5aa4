import Mailboxes
import MessageFormat

/// What was offered and is not on the disk yet: against its depositor all that was announced, against a mailbox only what
/// has come. An announcement costs nothing, so it must not keep others out.
struct Reservations {
  struct Amount {
    var byteCount: UInt64 = 0
    var messageCount: UInt64 = 0
  }

  private(set) var ofDepositor: [Mailbox: Amount] = [:]
  /// A message counts when it is whole.
  private(set) var ofMailbox: [Mailbox: Amount] = [:]

  mutating func add(_ offer: DepositOffer, from depositor: Mailbox) {
    ofDepositor[depositor, default: Amount()].byteCount += offer.size.byteCount
    ofDepositor[depositor, default: Amount()].messageCount += 1
  }

  mutating func addCome(_ byteCount: UInt64, of offer: DepositOffer) {
    guard byteCount > 0 else { return }
    for mailbox in offer.mailboxes { ofMailbox[mailbox, default: Amount()].byteCount += byteCount }
  }

  mutating func addWhole(_ offer: DepositOffer) {
    for mailbox in offer.mailboxes { ofMailbox[mailbox, default: Amount()].messageCount += 1 }
  }

  /// `come`: how many of its bytes were added.
  mutating func remove(
    _ offer: DepositOffer, from depositor: Mailbox, come byteCount: UInt64, isWhole: Bool
  ) {
    Self.remove(
      Amount(byteCount: offer.size.byteCount, messageCount: 1), from: &ofDepositor[depositor])
    guard byteCount > 0 || isWhole else { return }
    let come = Amount(byteCount: byteCount, messageCount: isWhole ? 1 : 0)
    for mailbox in offer.mailboxes { Self.remove(come, from: &ofMailbox[mailbox]) }
  }

  private static func remove(_ less: Amount, from amount: inout Amount?) {
    guard let old = amount else { preconditionFailure("what is removed was added") }
    let rest = Amount(
      byteCount: old.byteCount - less.byteCount, messageCount: old.messageCount - less.messageCount)
    amount = rest.messageCount == 0 && rest.byteCount == 0 ? nil : rest
  }
}
