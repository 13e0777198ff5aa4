/// What the words of git and ssh mean. They speak English where they are told to (LC_ALL=C); what they say to people is not
/// an interface, so what is not known stays `failed`, with their own words.
struct GitFailure {
  /// A reason, and words that stand for it, in any spelling; the first that fits counts.
  private enum Reason {
    case hostKeyChanged, hostKeyUnknown, credential, certificate, owner, content, diskFull, locked,
      branchMissing, missing, unreachable
  }

  private static let words: [(Reason, [String])] = [
    (.hostKeyChanged, ["remote host identification has changed"]),
    (.hostKeyUnknown, ["host key verification failed"]),
    (.diskFull, ["no space left on device", "disk quota exceeded"]),
    (.owner, ["dubious ownership"]),
    (
      .credential,
      [
        "permission denied (", "authentication failed", "could not read username",
        "could not read password", "returned error: 401", "returned error: 403",
        "unprotected private key file", "incorrect passphrase", "error in libcrypto",
        "too many authentication failures", "invalid format",
      ]
    ),
    (
      .certificate,
      [
        "ssl certificate", "server certificate", "certificate signer", "certificate verification",
        "certificate subject name", "no alternative certificate",
      ]
    ),
    (.content, ["fsck error", "index-pack failed", "invalid index-pack", "pack has bad object"]),
    (.branchMissing, ["couldn't find remote ref", "not our ref"]),
    (.locked, [".lock': file exists", "cannot lock ref"]),
    (
      .missing,
      [
        "repository not found", "does not appear to be a git repository", "returned error: 404",
        "not found", "does not exist", "no such file or directory", "access denied", "not exported",
      ]
    ),
    (
      .unreachable,
      [
        "could not resolve", "connection refused", "connection timed out", "timed out",
        "no route to host", "network is unreachable", "failed to connect", "couldn't connect",
        "connection reset", "connection closed", "connection was reset", "too slow", "empty reply",
        "returned error: 5", "kex_exchange_identification", "broken pipe", "hung up", "early eof",
        "proxy connect", "gnutls_handshake", "timeout",
      ]
    ),
  ]

  /// What is said last is said best.
  private static let detailLineCountMax = 3
  private static let detailByteCountMax = 400

  let settings: UpstreamSettings
  let mirror: String
  let credential: UpstreamError.Credential

  func error(from text: String, secrets: [String]) -> UpstreamError {
    let url = settings.url
    let detail = Self.detail(of: text, secrets: secrets)
    let said = text.lowercased()
    let reason = Self.words.first { _, words in words.contains { said.contains($0) } }?.0
    switch reason {
    case .hostKeyChanged: return .hostKeyChanged(url, knownHosts: settings.knownHostsFile)
    case .hostKeyUnknown: return .hostKeyUnknown(url, knownHosts: settings.knownHostsFile)
    case .credential: return .credentialRejected(url, credential, detail: detail)
    case .certificate: return .certificateRejected(url, detail: detail)
    case .owner: return .repositoryOwner(url, detail: detail)
    case .content: return .contentRejected(url, detail: detail)
    case .diskFull: return .diskFull(mirror: mirror)
    case .locked: return .mirrorLocked(mirror: mirror, lock: detail)
    case .branchMissing: return .branchMissing(url, detail: detail)
    case .missing: return .repositoryMissing(url, detail: detail)
    case .unreachable: return .unreachable(url, detail: detail)
    case nil: return .failed(url, detail: detail)
    }
  }

  /// One line for people, without what a terminal would take for a command, and without secrets.
  static func detail(of text: String, secrets: [String]) -> String {
    var text = text
    for secret in secrets where !secret.isEmpty { text = text.replacing(secret, with: "…") }
    let noise = ["and the repository exists.", "please make sure you have the correct access"]
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      String(
        String.UnicodeScalarView(
          line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 })
      ).trimming()
    }.filter { line in !line.isEmpty && !noise.contains { line.lowercased().hasPrefix($0) } }
    let end = lines.suffix(detailLineCountMax).joined(separator: "; ")
    return end.isEmpty ? "git said nothing" : String(end.suffix(detailByteCountMax))
  }
}

extension String {
  fileprivate func trimming() -> String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
