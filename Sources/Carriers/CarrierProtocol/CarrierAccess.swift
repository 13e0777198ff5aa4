package import MessageFormat

/// The rules on deposits: which identity may put what into which mailbox. Each collects from its own mailbox only.
package struct CarrierAccess: Sendable {
  /// Whom each mailbox takes deposits from; a mailbox that is not here does not exist for depositors.
  private let depositors: [Mailbox: Set<Mailbox>]
  private let byteCountMax: UInt64

  /// `byteCountMax`: of one sealed message.
  package init(depositors: [Mailbox: Set<Mailbox>], byteCountMax: UInt64) {
    self.depositors = depositors
    self.byteCountMax = byteCountMax
  }

  /// Why an offer is not taken, and for which of its mailboxes; none named: for all.
  struct Denial {
    let reason: CarrierRefusal
    var mailboxes: [Mailbox] = []
    let detail: String

    init(_ reason: CarrierRefusal, of mailboxes: [Mailbox] = [], _ detail: String) {
      (self.reason, self.mailboxes, self.detail) = (reason, mailboxes, detail)
    }
  }

  func denial(of offer: DepositOffer, from depositor: Mailbox) -> Denial? {
    let unknown = offer.mailboxes.filter { depositors[$0] == nil }
    if let first = unknown.first {
      return Denial(
        .unknownMailbox, of: unknown,
        "there is no mailbox \(first.abbreviated) here" + Self.others(unknown))
    }
    let closed = offer.mailboxes.filter { depositors[$0]?.contains(depositor) != true }
    if let first = closed.first {
      return Denial(
        .notAllowed, of: closed,
        "\(depositor.abbreviated) may not deposit for \(first.abbreviated)" + Self.others(closed))
    }
    guard offer.size.byteCount <= byteCountMax else {
      return Denial(
        .overLimit, "\(offer.size.byteCount) bytes are over the limit of \(byteCountMax)")
    }
    return nil
  }

  private static func others(_ mailboxes: [Mailbox]) -> String {
    mailboxes.count > 1 ? ", and \(mailboxes.count - 1) more" : ""
  }
}
