import Diagnostics
import GitModel
import Logging
import Mailboxes
import MessageFormat

// What the machine keeps us from: messages wait for their checkout, heartbeats are answered all the same, and after a
// minute others are told.
extension Pipeline {
  /// Whatever is thrown concerns this checkout alone.
  func withFaults<Value>(
    of settings: CheckoutSettings, _ message: MessageReference, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let fault as CheckoutFault {
      throw fault
    } catch {
      throw CheckoutFault(path: settings.path, reason: error, message: message)
    }
  }

  func note(_ fault: CheckoutFault) throws {
    faults.note(fault)
    log.report(
      .checkoutBlocked,
      [
        "checkout": "\(fault.path)", "reason": "\(fault.blockReason.rawValue)",
        "error": "\(fault.detail)",
      ])
    try tellBlock(of: fault.path, fault.message)
  }

  /// Told to the signer of the message in hand, and shown by `status`.
  private func tellBlock(of path: String, _ message: MessageReference?) throws {
    guard let settings = admit.route.checkouts.first(where: { $0.path == path }),
      var fault = faults.takeUntoldBlock(of: path)
    else { return }
    fault.message = message
    try answer.block(fault, of: settings, revision: try Checkout.revision(of: settings))
    onAnswer()
  }

  /// Whether the checkout's policy lets nothing be applied now; looked at again after a minute, as clocks are set.
  func isPaused(_ settings: CheckoutSettings) throws -> Bool {
    guard !settings.policy.noApply.isEmpty else { return false }
    let now = moment().wall
    guard let end = settings.policy.pauseEnd(at: now) else { return false }
    guard !faults.isWaiting(settings.path) else { return true }
    let fault = CheckoutFault(
      path: settings.path, reason: StepFault.paused(path: settings.path, until: end))
    let rest = end.milliseconds - min(end, now).milliseconds
    if faults.fault(of: settings.path) == nil {
      log.report(
        .checkoutPaused, ["checkout": "\(settings.path)", "until": "\(end.dateText)"])
    }
    faults.pause(fault, for: .milliseconds(Int64(clamping: min(rest, 60_000))))
    return true
  }

  func hold(_ routed: RoutedMessage) throws -> Turn {
    let (stored, path) = (routed.opened.stored, routed.settings.path)
    let entry = HeldMessages.Entry(id: stored.id, byteCount: stored.size.byteCount)
    if faults.hold(entry, for: path) {
      try tellBlock(of: path, MessageReference(routed.opened))
      return .held
    }
    let fault =
      faults.fault(of: path)
      ?? CheckoutFault(path: path, reason: StepFault.commandRuns(path: path))
    return .ends(.declined(routed, fault))
  }

  /// Of a checkout that fails nothing is said for a minute, and then that it is blocked.
  func turn(of opened: OpenedHeartbeat) throws -> Turn {
    switch try admit.admit(opened, at: moment().wall) {
    case .ends(let decision): return .ends(decision)
    case .next(let heartbeat):
      let streams = try heartbeat.streams.map {
        AnsweredHeartbeat.Stream(stream: $0, standing: try standing(of: $0))
      }
      return .ends(.heartbeatAnswered(AnsweredHeartbeat(heartbeat: heartbeat, streams: streams)))
    }
  }

  private func standing(of stream: AdmittedHeartbeat.Stream) throws -> Report.Standing? {
    let path = stream.settings.path
    if !faults.isWaiting(path) {
      do {
        let rejected = try inbox.rejected(of: stream.settings.stream)
        return try HeartbeatHandler(incomplete: incomplete[path], rejected: rejected)
          .standing(of: stream)
      } catch {
        try note(CheckoutFault(path: path, reason: error))
      }
    }
    return try faults.block(of: path).map { try HeartbeatHandler().standing(of: stream, for: $0) }
  }
}
