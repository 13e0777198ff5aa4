import CarrierProtocol
import Diagnostics
import Host
import Logging
import MessageFormat

/// What a directory's traffic tells: the log, once each where it would say the same at every look; and the port.
final class DirectoryReports {
  private let port: CarrierPort
  private let place: String
  private var isConnected = false
  private var reportedFailure: String?
  private var hasReportedFull = false
  private let limiter = RateLimiter(burst: 20)

  init(_ port: CarrierPort, place: String) { (self.port, self.place) = (port, place) }

  /// Once, until there was a failure.
  func connected() {
    guard !isConnected else { return }
    (isConnected, reportedFailure) = (true, nil)
    report(.carrierConnected)
    port.stateChanged(.connected)
  }

  /// Each failure once, until there was none.
  func failed(_ error: any Error) {
    let failure = CarrierError.faulty(endpoint: place, error)
    guard reportedFailure != failure.description else { return }
    (isConnected, reportedFailure) = (false, failure.description)
    port.stateChanged(.failed(failure))
    reportLimited(failure.event, ["error": "\(failure.reason)"])
  }

  func refused(_ refusal: RefusedMessage) {
    reportLimited(
      .depositRefused,
      [
        "message": "\(refusal.message.abbreviated)", "mailbox": "\(refusal.mailbox.abbreviated)",
        "reason": "\(refusal.reason.rawValue)", "detail": "\(refusal.detail)",
      ])
    port.refused(refusal)
  }

  func unreadable(_ id: MessageID, _ error: any Error, isLost: Bool) {
    reportLimited(
      isLost ? .messageLost : .messageUnreadable,
      ["message": "\(id.abbreviated)", "error": "\(error)"])
  }

  func tooLarge(_ size: SealedSize) {
    reportLimited(.messageTooLarge, ["bytes": .number(size.byteCount)])
  }

  func accepted() { hasReportedFull = false }

  /// Once, until something was accepted.
  func full(_ size: SealedSize) {
    guard !hasReportedFull else { return }
    hasReportedFull = true
    report(.inboxFull, ["bytes": .number(size.byteCount)])
  }

  func notStored(_ error: any Error) { reportLimited(.storeFailed, ["error": "\(error)"]) }

  private func report(_ event: Event, _ fields: Logger.Metadata = [:]) {
    port.log.report(event, ["carrier": "\(place)"].merging(fields) { $1 })
  }

  private func reportLimited(_ event: Event, _ fields: Logger.Metadata) {
    guard let leftOut = limiter.take() else { return }
    report(event, leftOut == 0 ? fields : fields.merging(["others": .number(leftOut)]) { $1 })
  }
}
