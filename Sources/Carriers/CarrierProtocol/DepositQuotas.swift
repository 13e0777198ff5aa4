import Mailboxes
import MessageFormat

/// How much of a carrier's disk an identity may use.
package struct QuotaLimit: Hashable, Sendable {
  package let byteCount: UInt64
  package let messageCount: UInt64
  /// How long its oldest message may have been waiting.
  package let ageMilliseconds: UInt64

  package init(byteCount: UInt64, messageCount: UInt64, ageMilliseconds: UInt64) {
    self.byteCount = byteCount
    self.messageCount = messageCount
    self.ageMilliseconds = ageMilliseconds
  }

  package static let none = QuotaLimit(
    byteCount: .max, messageCount: .max, ageMilliseconds: .max)
}

/// What every depositor may have on a carrier, and what may wait in every mailbox; over it, a deposit is refused and
/// stays where it is.
package struct DepositQuotas: Hashable, Sendable {
  package let depositor: QuotaLimit
  package let mailbox: QuotaLimit

  package init(depositor: QuotaLimit, mailbox: QuotaLimit) {
    self.depositor = depositor
    self.mailbox = mailbox
  }

  package static let none = DepositQuotas(depositor: .none, mailbox: .none)

  /// Where nothing else is configured. A depositor has no age of its own: one machine that is off would keep it from
  /// reaching all others.
  package static let standard = DepositQuotas(
    depositor: QuotaLimit(
      byteCount: 64 << 30, messageCount: 1_000_000, ageMilliseconds: 91 * QuotaLimit.dayMilliseconds
    ),
    mailbox: QuotaLimit(
      byteCount: 16 << 30, messageCount: 100_000, ageMilliseconds: 60 * QuotaLimit.dayMilliseconds))

  /// Why an offer is over a quota: its depositor's, or which mailboxes'; the limit and the actual value. Deposits under way
  /// count for their depositor as if they were there, and for a mailbox with what has come of them.
  func denial(
    of offer: DepositOffer, from depositor: Mailbox, report: OfferReport,
    underWay: Reservations
  ) -> CarrierAccess.Denial? {
    let whole = Reservations.Amount(byteCount: offer.size.byteCount, messageCount: 1)
    if let reason = self.depositor.reason(
      report.depositor, plus: underWay.ofDepositor[depositor], whole)
    {
      return .init(.overQuota, "depositor \(depositor.abbreviated): \(reason)")
    }
    return denial(of: report) { name, usage in
      mailbox.reason(usage, plus: underWay.ofMailbox[name], whole)
    }
  }

  /// Why what has come of a deposit, which `underWay` says with all others, is over a mailbox's quota. It was admitted
  /// by what had come of others until then.
  func overflow(of report: OfferReport, underWay: Reservations) -> CarrierAccess.Denial? {
    denial(of: report) { name, usage in
      mailbox.reasonOfSize(usage, plus: underWay.ofMailbox[name], Reservations.Amount())
    }
  }

  /// The first reason stands for all mailboxes that have one.
  private func denial(
    of report: OfferReport, reason: (Mailbox, Usage) -> String?
  ) -> CarrierAccess.Denial? {
    let full = report.mailboxes.compactMap { name, usage in reason(name, usage).map { (name, $0) } }
    guard let (name, reason) = full.first else { return nil }
    let others = full.count > 1 ? "; so are \(full.count - 1) more" : ""
    return .init(
      .overQuota, of: full.map(\.0), "mailbox \(name.abbreviated): \(reason)\(others)")
  }
}

extension QuotaLimit {
  package static let dayMilliseconds: UInt64 = 24 * 3_600 * 1_000

  fileprivate func reason(
    _ usage: Usage, plus underWay: Reservations.Amount?, _ more: Reservations.Amount
  ) -> String? {
    if let reason = reasonOfSize(usage, plus: underWay, more) { return reason }
    let age = usage.ageMilliseconds ?? 0
    guard age <= ageMilliseconds else {
      return "its oldest message has been waiting for \(age / Self.dayMilliseconds) days, "
        + "over its quota of \(ageMilliseconds / Self.dayMilliseconds)"
    }
    return nil
  }

  fileprivate func reasonOfSize(
    _ usage: Usage, plus underWay: Reservations.Amount?, _ more: Reservations.Amount
  ) -> String? {
    let messages = usage.messageCount + (underWay?.messageCount ?? 0) + more.messageCount
    guard messages <= messageCount else {
      return "\(messages) messages would be over its quota of \(messageCount)"
    }
    let (bytes, isTooLarge) = (usage.byteCount + (underWay?.byteCount ?? 0))
      .addingReportingOverflow(more.byteCount)
    guard !isTooLarge, bytes <= byteCount else {
      return "\(bytes) bytes would be over its quota of \(byteCount)"
    }
    return nil
  }
}
