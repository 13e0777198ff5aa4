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
    case .heartbeatAnswered(let answered): try answer(answered, at: moment)
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
    case .heartbeatAnswered(let answered): answered.heartbeat.opened.stored
    case .heartbeatDropped(let stored, _): stored
    case .declined(let routed, _): routed.opened.stored
    }
  }

  /// Of the checkouts that it is about.
  var paths: [String] {
    switch self {
    case .refused(let refused): [refused.settings?.path].compactMap { $0 }
    case .heartbeatAnswered(let answered): answered.streams.map(\.stream.settings.path)
    case .declined(let routed, _): [routed.settings.path]
    case .applied, .alreadyThere, .behind, .heartbeatDropped: workablePaths
    }
  }

  /// The checkouts that were looked at, and can be worked on.
  var workablePaths: [String] {
    switch self {
    case .applied(let applied): [applied.patch.admitted.settings.path]
    case .alreadyThere(let admitted, _), .behind(let admitted, _): [admitted.settings.path]
    case .refused(let refused):
      refused.isAdmitted ? [refused.settings?.path].compactMap { $0 } : []
    case .heartbeatAnswered(let answered):
      answered.streams.filter { $0.standing?.isBlocked == false }.map(\.stream.settings.path)
    case .heartbeatDropped, .declined: []
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
    case .heartbeatAnswered(let answered): report(answered)
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

  private func report(_ answered: AnsweredHeartbeat) {
    let told = answered.told
    report(
      .heartbeatAnswered,
      [
        "counter": .number(answered.heartbeat.opened.heartbeat.counter),
        "streams": .number(answered.streams.count),
        "names":
          "\(answered.streams.prefix(10).map { "\($0.stream.heard.name)" }.joined(separator: "; "))",
        "behind": .number(told.count { $0.standing.isBehind }),
        "blocked": .number(told.count { $0.standing.isBlocked }),
      ])
    for stream in answered.streams {
      guard case .blocked(let reason, let detail, _) = stream.standing else { continue }
      report(
        .heartbeatBlocked,
        [
          "checkout": "\(stream.stream.settings.path)", "reason": "\(reason.rawValue)",
          "detail": "\(detail)",
        ])
    }
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
