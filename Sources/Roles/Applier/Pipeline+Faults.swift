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

  /// The signer of the message in hand, and whoever asks for the status.
  private func tellBlock(of path: String, _ message: MessageReference?) throws {
    guard let settings = admit.route.checkouts.first(where: { $0.path == path }),
      var fault = faults.takeUntoldBlock(of: path)
    else { return }
    fault.message = message
    try answer.block(fault, of: settings, revision: try Checkout.revision(of: settings))
    onAnswer()
  }

  func hold(_ routed: RoutedMessage) throws -> Turn {
    let (stored, path) = (routed.opened.stored, routed.settings.path)
    let entry = HeldMessages.Entry(id: stored.id, byteCount: stored.size.byteCount)
    if faults.hold(entry, for: path) {
      try tellBlock(of: path, MessageReference(routed.opened))
      return .held
    }
    guard let fault = faults.fault(of: path) else { return .held }
    return .ends(.declined(routed, fault))
  }

  func turn(of opened: OpenedHeartbeat) throws -> Turn {
    switch try admit.admit(opened, at: moment().wall) {
    case .ends(let decision): return .ends(decision)
    case .next(let heartbeat):
      let settings = heartbeat.settings
      guard !faults.isWaiting(settings.path) else { return try turn(ofBlocked: heartbeat) }
      do {
        return .ends(try HeartbeatHandler().decide(heartbeat))
      } catch {
        try note(
          CheckoutFault(path: settings.path, reason: error, message: MessageReference(opened)))
        return try turn(ofBlocked: heartbeat)
      }
    }
  }

  private func turn(ofBlocked heartbeat: AdmittedHeartbeat) throws -> Turn {
    if let fault = faults.block(of: heartbeat.settings.path) {
      return .ends(try HeartbeatHandler().decide(heartbeat, for: fault))
    }
    guard let other = faults.hold(heartbeat.opened, for: heartbeat.settings.path) else {
      return .held
    }
    if other == heartbeat.opened.stored.id {
      let reason = Refused(.replayed, "a heartbeat of this stream that is not older waits already")
      return .ends(.heartbeatDropped(heartbeat.opened.stored, reason))
    }
    if let replaced = try inbox.message(other) { try answer.drop(replaced, nil) }
    return .held
  }
}
