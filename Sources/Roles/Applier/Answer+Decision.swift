import Diagnostics
import GitModel
import Logging
import Mailboxes
import MessageFormat

extension Answer {
  /// The one way out of every stage.
  func answer(_ decision: Decision, at moment: Moment) throws {
    switch decision {
    case .applied(let applied): try answer([Outcome(applied)])
    case .alreadyThere(let admitted, let snapshot):
      try answer([Outcome(admitted, .applied(snapshot))])
    case .behind(let admitted, let snapshot): try answer([Outcome(admitted, .behind(snapshot))])
    case .refused(let refused):
      let revision = try refused.settings.flatMap { try Checkout.revision(of: $0) }
      try answer([Outcome(refused, revision: revision)])
    case .heartbeatAnswered(let heartbeat, let outcome, let revision):
      try answer(heartbeat, with: outcome, revision: revision, at: moment)
    case .heartbeatDropped(let stored, let reason): try drop(stored, reason)
    case .declined(let routed, let fault):
      try decline(routed, fault, revision: try Checkout.revision(of: routed.settings))
    }
  }
}

extension Decision {
  var stored: StoredMessage {
    switch self {
    case .applied(let applied): applied.patch.stored
    case .alreadyThere(let admitted, _), .behind(let admitted, _): admitted.opened.stored
    case .refused(let refused): refused.stored
    case .heartbeatAnswered(let heartbeat, _, _): heartbeat.opened.stored
    case .heartbeatDropped(let stored, _): stored
    case .declined(let routed, _): routed.opened.stored
    }
  }

  /// Of the checkout that it is about.
  var path: String? {
    switch self {
    case .refused(let refused): refused.settings?.path
    case .heartbeatAnswered(let heartbeat, _, _): heartbeat.settings.path
    case .declined(let routed, _): routed.settings.path
    case .applied, .alreadyThere, .behind, .heartbeatDropped: workablePath
    }
  }

  /// The checkout that was looked at, and can be worked on.
  var workablePath: String? {
    switch self {
    case .applied(let applied): applied.patch.admitted.settings.path
    case .alreadyThere(let admitted, _), .behind(let admitted, _): admitted.settings.path
    case .refused(let refused): refused.isAdmitted ? refused.settings?.path : nil
    case .heartbeatAnswered(_, .blocked, _), .heartbeatDropped, .declined: nil
    case .heartbeatAnswered(let heartbeat, _, _): heartbeat.settings.path
    }
  }
}

extension Logger {
  func report(_ decision: Decision) {
    switch decision {
    case .applied(let applied): report(.applied, applied)
    case .alreadyThere(let admitted, let snapshot): report(.current, admitted, at: snapshot)
    case .behind(let admitted, let snapshot): report(.behind, admitted, at: snapshot)
    case .refused(let refused):
      report(
        .refused,
        fields(
          refused.stored.id, refused.reason,
          ["stream": "\(refused.opened.map { "\($0.message.stream)" } ?? "unknown")"]))
    case .heartbeatAnswered(let heartbeat, let outcome, _): report(heartbeat, outcome)
    case .heartbeatDropped(let stored, let reason):
      report(.heartbeatDropped, fields(stored.id, reason))
    case .declined(let routed, let fault):
      report(
        .checkoutBlocked,
        [
          "message": "\(routed.opened.stored.id.abbreviated)", "checkout": "\(fault.path)",
          "reason": "\(fault.blockReason.rawValue)", "error": "\(fault.detail)",
        ])
    }
  }

  func report(_ event: Event, _ applied: AppliedPatch) {
    let message = applied.patch.message
    report(
      event,
      [
        "message": "\(applied.patch.stored.id.abbreviated)", "stream": "\(message.stream)",
        "revision": "\(message.after.revision.abbreviated)",
        "sequence": .number(message.sequence), "paths": .number(applied.patch.changes.count),
      ])
  }

  private func report(_ event: Event, _ admitted: AdmittedMessage, at snapshot: Snapshot?) {
    let message = admitted.opened.message
    report(
      event,
      [
        "message": "\(admitted.opened.stored.id.abbreviated)", "stream": "\(message.stream)",
        "at": "\(snapshot?.revision.abbreviated ?? "nothing")",
        "starts": "\(message.before?.revision.abbreviated ?? "nothing")",
      ])
  }

  private func report(_ heartbeat: AdmittedHeartbeat, _ outcome: Receipt.Outcome) {
    let opened = heartbeat.opened.heartbeat
    guard case .blocked(let reason, let detail) = outcome else {
      return report(
        .heartbeatAnswered,
        ["stream": "\(opened.stream)", "sequence": .number(opened.sequence)])
    }
    report(
      .heartbeatBlocked,
      [
        "checkout": "\(heartbeat.settings.path)", "reason": "\(reason.rawValue)",
        "detail": "\(detail)",
      ])
  }

  private func fields(
    _ message: MessageID, _ reason: Refused, _ more: Logger.Metadata = [:]
  ) -> Logger.Metadata {
    more.merging([
      "message": "\(message.abbreviated)", "reason": "\(reason.refusal.rawValue)",
      "detail": "\(reason.detail)",
    ]) { first, _ in first }
  }
}
