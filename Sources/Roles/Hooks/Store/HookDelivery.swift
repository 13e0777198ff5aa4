package import MessageFormat

/// A verified request that is to be remembered before it is answered.
package struct HookDelivery: Sendable {
  let hook: String
  let host: HookHost
  /// `nil`: the host does not say; each request is one of its own.
  let id: String?
  let remote: RemoteName
  /// What for people; `push`, for example.
  let event: String
  /// Empty: whatever has moved. `nil`: nothing that concerns the signer.
  let refs: [String]?
  let receivedAt: Timestamp

  package init(
    hook: String, host: HookHost, id: String?, remote: RemoteName, event: String,
    refs: [String]?, receivedAt: Timestamp
  ) {
    (self.hook, self.host, self.id, self.remote) = (hook, host, id, remote)
    (self.event, self.refs, self.receivedAt) = (event, refs, receivedAt)
  }
}

/// What became of a delivery.
package enum DeliveryOutcome: Sendable, Equatable {
  case stored
  /// The host has sent it before.
  case repeated
}

/// What waits for the signer, of one repository.
package struct WaitingPush: Sendable, Equatable {
  package let remote: RemoteName
  /// Full names; empty: whatever has moved.
  package let refs: [String]
  package let oldestAt: Timestamp
  /// The last of the rows; what comes meanwhile has higher numbers.
  let lastNumber: Int64

  /// A remote of a hundred thousand refs that all wait is one hint about the repository.
  init(remote: RemoteName, refs: [String], oldestAt: Timestamp, lastNumber: Int64) {
    self.remote = remote
    self.refs = refs.contains("") || refs.count > HookLimits.refCountMax ? [] : refs
    (self.oldestAt, self.lastNumber) = (oldestAt, lastNumber)
  }
}
