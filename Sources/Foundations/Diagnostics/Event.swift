/// What a log line is about: the closed list of names by which alerts and tests know lines. A name never changes its
/// meaning; sentences may.
///
/// docs/reference/events.md is generated from this list.
package enum Event: String, CaseIterable, Sendable {
  // The process and its roles
  case ready = "ready"
  case stopped = "stopped"
  case listening = "listening"
  case collecting = "collecting"
  case reloaded = "reloaded"
  case reloadFailed = "reload-failed"
  case roleRemoved = "role-removed"
  case roleEnded = "role-ended"
  case roleFailed = "role-failed"
  case roleHangs = "role-hangs"
  case roleRecovered = "role-recovered"
  case workInterrupted = "work-interrupted"
  case noteFailed = "note-failed"
  case managerUnreachable = "manager-unreachable"
  case fault = "fault"
  case receiveFailed = "receive-failed"
  case library = "library"

  // Carriers
  case carrierConnected = "carrier-connected"
  case carrierUnreachable = "carrier-unreachable"
  case carrierSilent = "carrier-silent"
  case carrierInvalidAnswer = "carrier-invalid-answer"
  case addressUnreachable = "address-unreachable"
  case depositRefused = "deposit-refused"
  case messageTooLarge = "message-too-large"
  case noSpace = "no-space"
  case inboxFull = "inbox-full"
  case storeFailed = "store-failed"
  case messageLost = "message-lost"
  case messageUnreadable = "message-unreadable"
  case transferDiscarded = "transfer-discarded"
  case sweepFailed = "sweep-failed"
  case peerDisconnected = "peer-disconnected"
  case strangerRefused = "stranger-refused"

  // The applier
  case applied = "applied"
  case refused = "refused"
  case behind = "behind"
  case current = "current"
  case checkoutBlocked = "checkout-blocked"
  case recovered = "recovered"
  case recoveryFailed = "recovery-failed"
  case indexDelayed = "index-delayed"
  case deadlineExceeded = "deadline-exceeded"
  case heartbeatAnswered = "heartbeat-answered"
  case heartbeatBlocked = "heartbeat-blocked"
  case heartbeatDropped = "heartbeat-dropped"
  case stale = "stale"
  case fresh = "fresh"
  case metricsFailed = "metrics-failed"

  // The signer
  case healing = "healing"
  case healingFailed = "healing-failed"
  case receiptDropped = "receipt-dropped"

  // The relay
  case identitiesLoaded = "identities-loaded"
  case identityRejected = "identity-rejected"
  case directoryUnreadable = "directory-unreadable"
  case routeUnknown = "route-unknown"
}
