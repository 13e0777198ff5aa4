package import Logging

extension Event {
  /// How much attention the line needs: from `warning` on, somebody should see it.
  package var level: Logger.Level {
    switch self {
    case .heartbeatAnswered: .debug
    case .carrierConnected, .addressUnreachable, .roleEnded, .identitiesLoaded, .library: .info
    case .ready, .stopped, .listening, .collecting, .reloaded, .roleRemoved, .roleRecovered,
      .applied, .behind, .current, .recovered, .fresh, .healing:
      .notice
    case .workInterrupted, .carrierUnreachable, .carrierSilent, .carrierInvalidAnswer,
      .depositRefused, .messageTooLarge, .noSpace,
      .inboxFull, .transferDiscarded, .sweepFailed, .peerDisconnected, .strangerRefused, .refused,
      .indexDelayed, .heartbeatBlocked, .heartbeatDropped, .receiptDropped, .stale, .metricsFailed,
      .routeUnknown:
      .warning
    case .reloadFailed, .roleHangs, .noteFailed, .managerUnreachable, .fault, .storeFailed,
      .messageLost, .messageUnreadable, .checkoutBlocked, .recoveryFailed, .healingFailed,
      .identityRejected, .directoryUnreadable:
      .error
    case .roleFailed, .receiveFailed, .deadlineExceeded: .critical
    }
  }

  /// A peer can cause as many as it likes; the log takes a burst, then one a second with the number of the `others`.
  package var isCausedByPeers: Bool {
    switch self {
    case .refused, .heartbeatDropped, .receiptDropped, .strangerRefused, .peerDisconnected,
      .messageTooLarge:
      true
    default: false
    }
  }
}
