import GitModel
import MessageFormat

/// How a checkout stands towards what a heartbeat says of its stream, or why that cannot be told.
struct HeartbeatHandler {
  /// A commit of which a step has found that objects are missing.
  var incomplete: ObjectID?
  /// The newest revision that has failed here.
  var rejected: RejectedRecord?

  func standing(of stream: AdmittedHeartbeat.Stream) throws -> Report.Standing {
    do {
      let snapshot = try Checkout.snapshot(of: stream.settings)
      if let rejected, rejected.revision == stream.heard.revision {
        return .blocked(
          rejected.blockReason, detail: rejected.detail, revision: snapshot?.revision)
      }
      if let snapshot, snapshot.revision == incomplete { return .behind(nil) }
      guard let snapshot, stream.heard.isMet(by: snapshot) else {
        return .behind(snapshot)
      }
      return .current(snapshot)
    } catch let refused as Refused {
      // Nothing that could be sent would help.
      return .blocked(
        .checkoutMismatch, detail: refused.detail,
        revision: try Checkout.revision(of: stream.settings))
    }
  }

  func standing(
    of stream: AdmittedHeartbeat.Stream, for fault: CheckoutFault
  ) throws -> Report.Standing {
    .blocked(
      fault.blockReason, detail: fault.detail, revision: try Checkout.revision(of: stream.settings))
  }
}

/// A heartbeat with how each of its checkouts stands.
struct AnsweredHeartbeat {
  struct Stream {
    let stream: AdmittedHeartbeat.Stream
    /// `nil`: the checkout has failed for less than a minute, and is left out of the report.
    let standing: Report.Standing?
  }

  let heartbeat: AdmittedHeartbeat
  let streams: [Stream]

  /// For the report.
  var told: [Report.Stream] {
    streams.compactMap { stream in
      let heard = stream.stream.heard
      return stream.standing.map {
        Report.Stream(heard.name, sequence: heard.sequence, standing: $0)
      }
    }
  }
}

extension Report.Standing {
  var isBlocked: Bool { if case .blocked = self { true } else { false } }
  var isBehind: Bool { if case .behind = self { true } else { false } }
}

extension RejectedRecord {
  fileprivate var blockReason: BlockReason {
    refused.refusal == .unhealthy ? .unhealthy : .rolledBack
  }
}
