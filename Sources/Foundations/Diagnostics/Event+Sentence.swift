extension Event {
  /// What stands in the log before the fields: one sentence for people.
  package var sentence: String {
    processSentence ?? carrierSentence ?? applierSentence ?? reportingSentence ?? hookSentence
      ?? otherSentence
  }

  private var processSentence: String? {
    switch self {
    case .ready: "ready"
    case .stopped: "stopped"
    case .listening: "listening"
    case .collecting: "collecting messages from carrier"
    case .reloaded: "reloaded configuration"
    case .reloadFailed: "cannot load new configuration; keeping the old one"
    case .roleRemoved: "role is no longer configured"
    case .roleEnded: "role ended"
    case .roleFailed: "role failed; ending"
    case .roleHangs: "role hangs; service manager is no longer notified"
    case .roleRecovered: "role runs again"
    case .workInterrupted: "stop took too long; next start continues the work"
    case .noteFailed: "cannot record interrupted work for the next start"
    case .managerUnreachable: "cannot notify service manager"
    case .fault: "step failed; retrying"
    case .receiveFailed: "cannot receive messages any more; ending"
    case .library: "library reported"
    default: nil
    }
  }

  private var carrierSentence: String? {
    switch self {
    case .carrierConnected: "connected to carrier"
    case .carrierUnreachable: "cannot reach carrier; retrying"
    case .carrierSilent: "carrier does not answer; reconnecting"
    case .carrierInvalidAnswer: "carrier sent an invalid answer; reconnecting"
    case .addressUnreachable: "cannot reach an address of the carrier; trying the next one"
    case .foreignBytes: "carrier delivered bytes that are no message; rejected"
    case .transferIncomplete: "a part of a message is missing at the carrier; dropped"
    case .depositRefused: "carrier refused message; message kept, retrying"
    case .messageTooLarge: "message exceeds the size limit; skipped"
    case .noSpace: "not enough space; message left at the carrier"
    case .inboxFull: "inbox is full; messages left at the carrier"
    case .storeFailed: "cannot store collected messages; retrying"
    case .messageLost: "stored message is missing or damaged on disk; dropped"
    case .messageUnreadable: "cannot read stored message; message kept, retrying"
    case .transferDiscarded: "cannot keep partial transfer; transfer will restart"
    case .messageExpired: "discarded messages that waited for 91 days"
    case .sweepFailed: "cannot remove expired messages; retrying"
    case .peerDisconnected: "disconnected peer"
    case .strangerRefused: "refused connection from unknown key"
    default: nil
    }
  }

  private var applierSentence: String? {
    switch self {
    case .applied: "applied message"
    case .refused: "refused message"
    case .behind: "checkout is behind; requested the missing changes"
    case .current: "checkout is already at the message's revision"
    case .checkoutBlocked: "cannot update checkout; retrying"
    case .recovered: "finished interrupted update"
    case .recoveryFailed: "cannot finish interrupted update; checkout was changed since"
    case .checkoutPaused: "messages wait, by the checkout's policy"
    case .rolledBack: "new revision failed; checkout is back at the previous one"
    case .rollBackFailed: "new revision failed, and stays"
    case .commandFailed: "command failed"
    case .consolidationFailed: "cannot consolidate packs; retrying after the next update"
    case .deadlineExceeded: "step exceeded its deadline; ending"
    case .heartbeatAnswered: "answered heartbeat"
    case .heartbeatBlocked: "cannot compare checkout with heartbeat"
    case .heartbeatDropped: "dropped heartbeat"
    case .stale: "checkout is stale"
    case .fresh: "checkout is fresh again"
    case .metricsFailed: "cannot write metrics"
    default: nil
    }
  }

  private var reportingSentence: String? {
    switch self {
    case .statusSent: "code host shows status"
    case .statusDelayed: "code host takes no statuses at the moment; retrying"
    case .statusResumed: "code host takes statuses again"
    case .statusRefused: "code host refused status; retrying"
    case .statusLost: "code host refused status for good; given up"
    case .noticeSent: "sent notice"
    case .noticeFailed: "cannot send notice; retrying"
    case .noticeLost: "cannot send notice; given up"
    case .noticesDiscarded: "discarded waiting notices; their way is configured no more"
    default: nil
    }
  }

  private var hookSentence: String? {
    switch self {
    case .hookReceived: "received push from code host"
    case .hookIgnored: "received event that is not a push"
    case .hookRefused: "refused webhook request"
    case .hookNotUnderstood: "cannot understand payload of code host"
    case .hookOfAnotherRepository: "ignored push of another repository"
    case .hookNotStored: "cannot store push; code host is told to try again"
    case .hookHandedOver: "handed push to signer"
    case .hookKept: "cannot hand push to signer; push kept, retrying"
    case .hookExpired: "discarded pushes that no signer has taken for 4 days"
    case .hookSecretLoaded: "loaded webhook secret"
    case .hookSecretRejected: "rejected webhook secret; requests signed with it are refused"
    case .certificateLoaded: "loaded certificate"
    case .certificateRejected: "cannot load certificate; keeping the old one"
    default: nil
    }
  }

  private var otherSentence: String {
    switch self {
    case .healing: "sent missing changes to recipient"
    case .healingFailed: "cannot send missing changes to recipient"
    case .receiptDropped: "dropped receipt that does not fit what it answers"
    case .takingRequests: "taking requests to send"
    case .requestHandled: "handled request to send"
    case .requestRejected: "rejected request at the socket"
    case .socketFailed: "cannot listen for requests to send; retrying"
    case .branchSent: "sent branch that moved"
    case .branchFailed: "cannot send branch that moved; retrying"
    case .referenceIgnored: "reference that moved is not configured; nothing was sent"
    case .sourceFailed: "cannot look at repository; retrying"
    case .sourceRecovered: "repository can be looked at again"
    case .mirrorConsolidated: "consolidated mirror of upstream"
    case .submodulePinned: "submodule arrives without its files"
    case .identitiesLoaded: "loaded trusted identities"
    case .identityRejected: "rejected identity file"
    case .directoryUnreadable: "cannot read directory of trusted identities"
    case .routeUnknown: "route names an unknown identity"
    default: preconditionFailure("every event has its sentence in one of the lists")
    }
  }
}
