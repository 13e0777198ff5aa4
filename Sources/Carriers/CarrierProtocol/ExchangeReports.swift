import Diagnostics
import Host
import Logging
package import Mailboxes
package import MessageFormat

/// What an exchange tells: the log, once each where a peer could make it say the same for ever; and the port.
package final class ExchangeReports {
  private let port: CarrierPort
  private let place: String
  private let log: Logger
  private var reportedFailure: CarrierError?
  private var reportedAddresses: Set<String> = []
  private var hasReportedSize = false
  private var hasReportedFull = false
  private var hasReportedBytes = false
  private let limiter = RateLimiter(burst: 20)

  package init(_ port: CarrierPort, place: String) {
    (self.port, self.place) = (port, place)
    log = port.log
  }

  package func connected() {
    (reportedFailure, hasReportedSize, reportedAddresses) = (nil, false, [])
    hasReportedBytes = false
    report(.carrierConnected)
    port.stateChanged(.connected)
  }

  /// Each failure once, until there was a connection. None before all addresses have had their turn.
  package func failed(_ error: CarrierError, isLastAddress: Bool) {
    let fields: Logger.Metadata = ["carrier": "\(error.endpoint)", "error": "\(error.reason)"]
    guard isLastAddress else {
      guard reportedAddresses.insert(error.description).inserted else { return }
      return report(.addressUnreachable, fields)
    }
    guard reportedFailure?.description != error.description else { return }
    reportedFailure = error
    port.stateChanged(.failed(error))
    reportLimited(error.event, fields)
  }

  package func accepted() { hasReportedFull = false }

  /// Once, until something was accepted.
  package func full(_ what: String) {
    guard !hasReportedFull else { return }
    hasReportedFull = true
    report(.inboxFull, ["detail": "\(what)"])
  }

  package func noRoom(_ size: SealedSize, _ what: String) {
    reportLimited(.noSpace, ["bytes": .number(size.byteCount), "detail": "\(what)"])
  }

  /// Once, until there is another connection.
  package func tooLarge(_ size: SealedSize) {
    guard !hasReportedSize else { return }
    hasReportedSize = true
    report(.messageTooLarge, ["bytes": .number(size.byteCount)])
  }

  /// Once, until there is another connection: what is not ours lay in our mailbox.
  package func foreign(_ what: String) {
    guard !hasReportedBytes else { return }
    hasReportedBytes = true
    reportLimited(.foreignBytes, ["detail": "\(what)"])
  }

  package func incomplete(_ message: MessageID) {
    reportLimited(.transferIncomplete, ["message": "\(message.abbreviated)"])
  }

  package func notStored(_ what: String) { reportLimited(.storeFailed, ["error": "\(what)"]) }

  package func notKept(_ error: MailboxError) { report(.transferDiscarded, ["error": "\(error)"]) }

  package func unreadable(_ fault: Depositing.Fault) {
    reportLimited(
      fault.error.isLoss ? .messageLost : .messageUnreadable,
      ["message": "\(fault.message.abbreviated)", "error": "\(fault.error)"])
  }

  package func refused(_ refusal: Depositing.Refusal) {
    reportLimited(
      .depositRefused,
      [
        "message": "\(refusal.message.id.abbreviated)",
        "mailbox": "\(refusal.mailbox.abbreviated)", "reason": "\(refusal.reason.rawValue)",
        "detail": "\(refusal.detail)",
      ])
    port.refused(
      RefusedMessage(
        message: refusal.message.id, mailbox: refusal.mailbox, reason: refusal.reason,
        detail: refusal.detail))
  }

  private func report(_ event: Event, _ fields: Logger.Metadata = [:]) {
    log.report(event, ["carrier": "\(place)"].merging(fields) { $1 })
  }

  /// What a peer can cause again and again: a burst, then one a second with the number of the others.
  private func reportLimited(_ event: Event, _ fields: Logger.Metadata) {
    guard let leftOut = limiter.take() else { return }
    report(event, leftOut == 0 ? fields : fields.merging(["others": .number(leftOut)]) { $1 })
  }
}
