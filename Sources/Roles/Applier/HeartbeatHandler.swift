import GitModel
import MessageFormat

/// What a heartbeat is answered with: where its checkout is, or why that cannot be said.
struct HeartbeatHandler {
  func decide(_ heartbeat: AdmittedHeartbeat) throws -> Decision {
    do {
      let snapshot = try Checkout.snapshot(of: heartbeat.settings)
      guard let snapshot, snapshot.revision == heartbeat.opened.heartbeat.revision else {
        return .heartbeatAnswered(heartbeat, .behind(snapshot), revision: nil)
      }
      return .heartbeatAnswered(heartbeat, .current(snapshot), revision: nil)
    } catch let refused as Refused {
      // Nothing that could be sent would help.
      return .heartbeatAnswered(
        heartbeat, .blocked(.checkoutMismatch, detail: refused.detail),
        revision: try Checkout.revision(of: heartbeat.settings))
    }
  }

  func decide(_ heartbeat: AdmittedHeartbeat, for fault: CheckoutFault) throws -> Decision {
    .heartbeatAnswered(
      heartbeat, .blocked(fault.blockReason, detail: fault.detail),
      revision: try Checkout.revision(of: heartbeat.settings))
  }
}
