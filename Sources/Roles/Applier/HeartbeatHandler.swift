import Diagnostics
import GitModel
import Logging
import Mailboxes
import MessageFormat

/// What becomes of a verified heartbeat: the newest of its stream is remembered, and answered with where the checkout is.
struct HeartbeatHandler {
  let inbox: Inbox
  let answer: Answer
  let log: Logger

  /// Throws `DroppedHeartbeat`; anything else is the machine's.
  func hear(
    _ heartbeat: Heartbeat, _ stored: StoredMessage, for settings: CheckoutSettings
  ) throws {
    let last = try inbox.heard(of: heartbeat.stream, by: [heartbeat.signer])
    if let last, last.createdAt >= heartbeat.createdAt {
      throw DroppedHeartbeat(
        reason: Refused(.replayed, "a heartbeat of this stream that is not older was seen already"))
    }
    try answer.answer(heartbeat, stored, with: standing(heartbeat, settings))
    log.report(
      .heartbeatAnswered,
      [
        "stream": "\(heartbeat.stream)", "sequence": .number(heartbeat.sequence),
      ])
  }

  /// `nil`: there is something at the path that is not the checkout, and nothing that could be sent would help.
  private func standing(
    _ heartbeat: Heartbeat, _ settings: CheckoutSettings
  ) throws -> Receipt.Outcome? {
    do {
      let snapshot = try Checkout.snapshot(of: settings)
      guard let snapshot, snapshot.revision == heartbeat.revision else { return .behind(snapshot) }
      return .current(snapshot)
    } catch let refused as Refused {
      log.report(
        .heartbeatBlocked,
        ["checkout": "\(settings.path)", "detail": "\(refused.detail)"])
      return nil
    }
  }

  func drop(_ dropped: DroppedHeartbeat, _ stored: StoredMessage) throws {
    log.report(
      .heartbeatDropped,
      [
        "message": "\(stored.id.abbreviated)", "reason": "\(dropped.reason.refusal.rawValue)",
        "detail": "\(dropped.reason.detail)",
      ])
    try answer.drop(stored)
  }
}
