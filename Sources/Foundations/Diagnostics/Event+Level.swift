package import Logging

extension Event {
  /// How much attention the line needs: from `warning` on, somebody should see it.
  package var level: Logger.Level {
    switch self {
    case .heartbeatAnswered: .debug
    case .carrierConnected, .addressUnreachable, .roleEnded, .identitiesLoaded, .library,
      .requestHandled, .statusSent, .noticeSent, .hookReceived,
      .hookIgnored, .branchSent, .referenceIgnored, .mirrorConsolidated:
      .info
    case .ready, .stopped, .listening, .collecting, .reloaded, .roleRemoved, .roleRecovered,
      .applied, .behind, .current, .checkoutPaused, .recovered, .fresh, .healing, .takingRequests,
      .statusResumed, .hookHandedOver, .hookSecretLoaded, .certificateLoaded,
      .sourceRecovered:
      .notice
    case .workInterrupted, .carrierUnreachable, .carrierSilent, .carrierInvalidAnswer,
      .depositRefused, .messageTooLarge, .noSpace, .foreignBytes, .transferIncomplete,
      .inboxFull, .transferDiscarded, .messageExpired, .sweepFailed, .peerDisconnected,
      .strangerRefused, .refused,
      .consolidationFailed, .heartbeatBlocked, .heartbeatDropped, .receiptDropped, .stale,
      .metricsFailed, .routeUnknown, .requestRejected, .statusDelayed, .statusRefused,
      .noticeFailed, .hookRefused, .hookNotUnderstood, .hookOfAnotherRepository, .hookKept,
      .hookExpired, .submodulePinned, .noticesDiscarded:
      .warning
    case .reloadFailed, .roleHangs, .noteFailed, .managerUnreachable, .fault, .storeFailed,
      .messageLost, .messageUnreadable, .checkoutBlocked, .recoveryFailed,
      .rolledBack, .rollBackFailed, .commandFailed, .healingFailed,
      .identityRejected, .directoryUnreadable, .socketFailed, .statusLost, .noticeLost,
      .hookNotStored, .hookSecretRejected, .certificateRejected,
      .branchFailed, .sourceFailed:
      .error
    case .roleFailed, .receiveFailed, .deadlineExceeded: .critical
    }
  }

  /// A peer can cause as many as it likes; the log takes a burst, then one a second with the number of the `others`.
  package var isCausedByPeers: Bool {
    switch self {
    case .refused, .heartbeatDropped, .receiptDropped, .strangerRefused, .peerDisconnected,
      .messageTooLarge, .requestRejected, .heartbeatBlocked, .depositRefused, .noSpace,
      .inboxFull, .carrierSilent, .carrierInvalidAnswer, .carrierUnreachable, .statusDelayed,
      .statusRefused, .statusLost, .noticeFailed, .noticeLost, .hookRefused,
      .hookNotUnderstood, .hookOfAnotherRepository, .hookNotStored, .referenceIgnored,
      .foreignBytes, .transferIncomplete:
      true
    default: false
    }
  }
}
