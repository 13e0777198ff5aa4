package import Diagnostics
import Programs

extension UpstreamError: OperatorError {
  package var description: String {
    switch self {
    case .urlInvalid(let text, let reason): "\(text): \(reason)"
    case .submoduleElsewhere(let url, let upstream):
      "\(url): a submodule of \(upstream) that is on another server, to which nothing of ours goes"
    case .secret(let error): error.description
    case .fileMissing(let path): "\(path): there is no such file"
    case .unreachable(let url, let detail): "\(url): cannot be reached: \(detail)"
    case .credentialRejected(let url, let credential, let detail):
      "\(url): \(credential.rejection): \(detail)"
    case .hostKeyUnknown(let url, let file):
      "\(url): the key of \(url.host) is not among the known hosts\(Self.place(file))"
    case .hostKeyChanged(let url, let file):
      "\(url): the key of \(url.host) is another one than among the known hosts\(Self.place(file))"
    case .certificateRejected(let url, let detail):
      "\(url): its certificate is not trusted: \(detail)"
    case .repositoryMissing(let url, let detail):
      "\(url): no such repository, or none that we may read: \(detail)"
    case .repositoryOwner(let url, let detail): "\(url): belongs to another user: \(detail)"
    case .branchMissing(let url, let detail): "\(url): a branch is gone: \(detail)"
    case .contentRejected(let url, let detail):
      "\(url): git refuses the objects that it sent: \(detail)"
    case .diskFull(let mirror): "\(mirror): no space left for what the upstream sends"
    case .mirrorLocked(let mirror, let lock): "\(mirror): \(lock) is held by another process"
    case .mirrorUnusable(let mirror, let detail): "\(mirror): cannot be used: \(detail)"
    case .failed(let url, let detail): "\(url): cannot be fetched: \(detail)"
    case .program(let error): error.description
    case .host(let error): error.description
    case .git(let error): error.description
    }
  }

  private static func place(_ file: String?) -> String { file.map { " in \($0)" } ?? "" }

  package var code: ErrorCode {
    switch self {
    case .urlInvalid, .submoduleElsewhere: .addressInvalid
    case .secret(let error): error.code
    case .fileMissing: .keyMissing
    case .unreachable: .upstreamUnreachable
    case .credentialRejected: .upstreamCredential
    case .hostKeyUnknown, .hostKeyChanged: .upstreamHostKey
    case .certificateRejected: .upstreamCertificate
    case .repositoryMissing: .upstreamMissing
    case .repositoryOwner: .repositoryOwner
    case .branchMissing: .branchMissing
    case .contentRejected: .upstreamContent
    case .diskFull: .diskFull
    case .mirrorLocked: .repositoryLocked
    case .mirrorUnusable: .repositoryDamaged
    case .failed: .upstreamFault
    case .program(let error): error.code
    case .host(let error): error.code
    case .git(let error): error.code
    }
  }

  package var exit: ExitStatus {
    if case .urlInvalid = self { .configuration } else { .fault }
  }

  package var hint: String? {
    switch self {
    case .urlInvalid: "docs/how-to/upstreams.md shows the URLs that are taken"
    case .submoduleElsewhere:
      "mirror it beside the repository and name it with '../' in .gitmodules, or set 'submodules: pin'"
    case .secret(let error): error.hint
    case .fileMissing: "correct its path, or make it readable for the user of the service"
    case .unreachable(let url, _):
      "nothing is lost, it is tried again; is \(url.host.isEmpty ? "it" : url.host) up, and let through "
        + "by firewall and proxy?"
    case .credentialRejected(_, let credential, _): credential.remedy
    case .hostKeyUnknown(let url, let file):
      "ssh-keyscan \(url.host) >>\(file ?? "/etc/ssh/ssh_known_hosts"), then compare the fingerprint with the "
        + "one that the host publishes"
    case .hostKeyChanged(let url, let file):
      "somebody may be in between. Where \(url.host) says that it has a new key: ssh-keygen -R \(url.host) -f "
        + "\(file ?? "/etc/ssh/ssh_known_hosts"), then add the new one"
    case .certificateRejected:
      "name the authority that signed it with 'ca-file:', or install it on this machine"
    case .repositoryMissing:
      "correct 'upstream:', or give the key or token the right to read the repository"
    case .repositoryOwner: "name it with 'path:', or give it to the user of the service"
    case .branchMissing: "nothing is lost, it is tried again"
    case .contentRejected: "run `git fsck` in a clone, and repair the commit that it names"
    case .diskFull: "make room; it is fetched again"
    case .mirrorLocked: "nothing is lost, it is tried again"
    case .mirrorUnusable(let mirror, _):
      "stop the signer, move \(mirror) away, and start it: it is fetched anew"
    case .failed: nil
    case .program(let error): error.hint
    case .host(let error): error.hint
    case .git(let error): error.hint
    }
  }
}

extension UpstreamError.Credential {
  fileprivate var rejection: String {
    switch self {
    case .none: "wants a credential, and none is configured"
    case .key(let path): "does not take the key \(path)"
    case .agent: "does not take a key of the ssh agent, or there is no agent"
    case .token(let path): "does not take the token of \(path)"
    }
  }

  fileprivate var remedy: String {
    switch self {
    case .none: "name one: 'token-file:' for https, 'key-file:' for ssh"
    case .key(let path):
      "add \(path).pub to the repository as a deploy key that may read; a key with a passphrase needs an agent"
    case .agent: "name a key without a passphrase: 'key-file:'"
    case .token(let path):
      "write a token to \(path) that is not expired and may read the repository; is 'user:' right?"
    }
  }
}
