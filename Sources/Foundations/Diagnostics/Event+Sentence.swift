extension Event {
  /// What stands in the log before the fields: one sentence for people.
  package var sentence: String {
    processSentence ?? carrierSentence ?? applierSentence ?? otherSentence
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
    case .depositRefused: "carrier refused message; message kept, retrying"
    case .messageTooLarge: "message exceeds the size limit; skipped"
    case .noSpace: "not enough space; message left at the carrier"
    case .inboxFull: "inbox is full; messages left at the carrier"
    case .storeFailed: "cannot store collected messages; retrying"
    case .messageLost: "stored message is missing or damaged on disk; dropped"
    case .messageUnreadable: "cannot read stored message; message kept, retrying"
    case .transferDiscarded: "cannot keep partial transfer; transfer will restart"
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
    case .indexDelayed: "cannot write index yet; retrying"
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

  private var otherSentence: String {
    switch self {
    case .healing: "sent missing changes to recipient"
    case .healingFailed: "cannot send missing changes to recipient"
    case .receiptDropped: "dropped receipt that does not fit what it answers"
    case .identitiesLoaded: "loaded trusted identities"
    case .identityRejected: "rejected identity file"
    case .directoryUnreadable: "cannot read directory of trusted identities"
    case .routeUnknown: "route names an unknown identity"
    default: preconditionFailure("every event has its sentence in one of the four lists")
    }
  }
}
