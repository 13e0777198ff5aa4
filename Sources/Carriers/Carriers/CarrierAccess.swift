package import MessageFormat

/// Who may put what into which mailbox; everyone collects from their own mailbox only.
package struct CarrierAccess: Sendable {
  /// Whom each mailbox takes deposits from; a mailbox that is not here does not exist for depositors.
  private let depositors: [Mailbox: Set<Mailbox>]
  private let byteCountMax: UInt64

  /// `byteCountMax`: of one sealed message.
  package init(depositors: [Mailbox: Set<Mailbox>], byteCountMax: UInt64) {
    self.depositors = depositors
    self.byteCountMax = byteCountMax
  }

  func refusal(
    of offer: DepositOffer, from depositor: Mailbox
  ) -> (refusal: CarrierRefusal, detail: String)? {
    for mailbox in offer.mailboxes {
      guard let allowed = depositors[mailbox] else {
        return (.unknownMailbox, "there is no mailbox \(mailbox.abbreviated) here")
      }
      guard allowed.contains(depositor) else {
        return (.notAllowed, "\(depositor.abbreviated) may not deposit for \(mailbox.abbreviated)")
      }
    }
    guard offer.size.byteCount <= byteCountMax else {
      return (.overLimit, "\(offer.size.byteCount) bytes are over the limit of \(byteCountMax)")
    }
    return nil
  }
}
