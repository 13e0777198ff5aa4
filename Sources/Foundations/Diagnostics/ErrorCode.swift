/// The closed list of names for errors. A name never changes its meaning; messages and hints may.
///
/// docs/reference/events.md is generated from this list.
package enum ErrorCode: String, CaseIterable, Sendable {
  // What was asked
  case usage = "usage"
  case configuration = "configuration"

  // Keys
  case keyMissing = "key-missing"
  case keyExists = "key-exists"
  case keyRights = "key-rights"
  case keyInvalid = "key-invalid"
  case passphrase = "passphrase"

  // The state directory
  case stateDamaged = "state-damaged"
  case stateInUse = "state-in-use"
  case stateLocked = "state-locked"
  case stateRights = "state-rights"
  case messageMissing = "message-missing"

  // This machine
  case diskFull = "disk-full"
  case readOnly = "read-only"
  case file = "file"
  case shortage = "shortage"
  case host = "host"
  case library = "library"

  // Programs that are run
  case programMissing = "program-missing"
  case programDeadline = "program-deadline"
  case programFailed = "program-failed"
  case programRights = "program-rights"

  // Repositories and checkouts
  case repositoryMissing = "repository-missing"
  case repositoryOwner = "repository-owner"
  case repositoryUnsupported = "repository-unsupported"
  case repositoryLocked = "repository-locked"
  case repositoryDamaged = "repository-damaged"
  case revisionMissing = "revision-missing"
  case referenceMoved = "reference-moved"
  case repository = "repository"
  case largeFileMissing = "large-file-missing"
  case largeFileDamaged = "large-file-damaged"

  // Upstreams
  case upstreamUnreachable = "upstream-unreachable"
  case upstreamCredential = "upstream-credential"
  case upstreamHostKey = "upstream-host-key"
  case upstreamCertificate = "upstream-certificate"
  case upstreamMissing = "upstream-missing"
  case upstreamContent = "upstream-content"
  case upstreamFault = "upstream-fault"

  // Carriers
  case carrierUnreachable = "carrier-unreachable"
  case carrierRejected = "carrier-rejected"
  case carrierKey = "carrier-key"
  case carrierSilent = "carrier-silent"
  case carrierFault = "carrier-fault"
  case addressInUse = "address-in-use"
  case addressInvalid = "address-invalid"
  case nameUnresolved = "name-unresolved"

  // Servers that are neither carriers nor ours: code hosts, mail, chat
  case serverUnreachable = "server-unreachable"
  case serverCertificate = "server-certificate"
  case serverSilent = "server-silent"
  case serverRejected = "server-rejected"
  case serverInvalid = "server-invalid"

  // The signer's socket
  case daemonMissing = "daemon-missing"
  case daemonRights = "daemon-rights"
  case daemonSilent = "daemon-silent"
  case daemonEnded = "daemon-ended"
  case daemonVersion = "daemon-version"
  case requestInvalid = "request-invalid"

  // Sending
  case notConfigured = "not-configured"
  case branchMissing = "branch-missing"
  case overtaken = "overtaken"
  case streamMoved = "stream-moved"
  case goingBack = "going-back"
  case noChange = "no-change"
  case contentUnsupported = "content-unsupported"
  case overLimit = "over-limit"

  // What a peer has sent
  case messageInvalid = "message-invalid"
  case patchInvalid = "patch-invalid"

  /// An error without a name of its own: please report it.
  case other = "other"

  package var exit: ExitStatus {
    switch self {
    case .usage: .usage
    case .configuration, .addressInvalid: .configuration
    case .stateDamaged: .stateDamaged
    default: .fault
    }
  }
}
