package import Git
package import Host
package import Programs

/// Why an upstream could not be asked, or not be fetched from. `detail` is what git or ssh said last, without secrets.
package enum UpstreamError: Error, Equatable, Sendable {
  case urlInvalid(String, reason: String)
  /// A submodule's URL that is not on its repository's own server.
  case submoduleElsewhere(UpstreamURL, of: UpstreamURL)
  case secret(SecretFileError)
  case fileMissing(String)

  /// The name does not resolve, nothing listens, nothing comes.
  case unreachable(UpstreamURL, detail: String)
  /// It did not take what we have, or we have nothing.
  case credentialRejected(UpstreamURL, Credential, detail: String)
  case hostKeyUnknown(UpstreamURL, knownHosts: String?)
  case hostKeyChanged(UpstreamURL, knownHosts: String?)
  case certificateRejected(UpstreamURL, detail: String)
  /// There is no such repository, or none that this credential may see.
  case repositoryMissing(UpstreamURL, detail: String)
  /// It belongs to another user of this machine, and git does not serve it.
  case repositoryOwner(UpstreamURL, detail: String)
  /// A branch went while it was fetched.
  case branchMissing(UpstreamURL, detail: String)
  /// It sent objects that are damaged, or that git takes for an attack.
  case contentRejected(UpstreamURL, detail: String)
  case diskFull(mirror: String)
  /// A lock in the mirror that another process holds, or a killed one has left.
  case mirrorLocked(mirror: String, lock: String)
  case mirrorUnusable(mirror: String, detail: String)
  /// None of these.
  case failed(UpstreamURL, detail: String)

  case program(ProgramError)
  case host(HostError)
  case git(GitError)

  /// What was shown to the upstream.
  package enum Credential: Equatable, Sendable {
    case none
    case key(String)
    case agent
    case token(String)
  }

  /// To ask once more does not help: somebody has to do something first.
  package var isLasting: Bool {
    switch self {
    case .urlInvalid, .submoduleElsewhere, .secret, .fileMissing, .credentialRejected,
      .hostKeyUnknown, .hostKeyChanged,
      .certificateRejected, .repositoryMissing, .repositoryOwner, .contentRejected:
      true
    default: false
    }
  }
}
