package import Host

/// A repository of a code host, and what it takes to fetch from it. Holds no secret: files that do are named.
package struct UpstreamSettings: Sendable, Hashable {
  package static let pollSecondsDefault: UInt64 = 300
  package static let timeoutSecondsDefault: UInt64 = 600

  /// The secret of HTTPS, and the name that goes with it.
  package struct Token: Sendable, Hashable {
    package let file: SecretFile
    package let user: String

    package init(file: SecretFile, user: String) { (self.file, self.user) = (file, user) }
  }

  package var url: UpstreamURL
  /// ssh: `nil`, the agent of this process is asked.
  package var keyFile: SecretFile?
  /// ssh: `nil`, those of the user and of the machine.
  package var knownHostsFile: String?
  /// https
  package var token: Token?
  /// https: which authorities are trusted in place of the machine's.
  package var caFile: String?
  /// https
  package var proxy: String?
  /// The LFS server of the repository; `nil`: where git-lfs looks for it.
  package var largeFileURL: String?
  /// For that server, where it is not the upstream's own.
  package var largeFileToken: Token?
  /// HTTP without TLS to another machine than this one was asked for.
  package var allowsPlainHTTP = false
  /// One fetch may take so long; a question for tips, a tenth of it, but at least 10 s.
  package var timeoutSeconds = timeoutSecondsDefault

  package init(url: UpstreamURL) { self.url = url }

  /// What we show to the upstream.
  package var credential: UpstreamError.Credential {
    if let key = keyFile { return .key(key.path) }
    if let token { return .token(token.file.path) }
    return url.transport == .ssh ? .agent : .none
  }

  /// What does not go together, or could not be handed on safely.
  package func requireSense() throws(UpstreamError) {
    func invalid(_ reason: String) -> UpstreamError { .urlInvalid(url.text, reason: reason) }
    let isHTTP = url.transport == .https || url.transport == .http
    guard url.transport == .ssh || keyFile == nil && knownHostsFile == nil else {
      throw invalid("'key-file:' and 'known-hosts-file:' are for ssh")
    }
    guard isHTTP || token == nil else { throw invalid("'token-file:' is for https") }
    // Of ssh, large files come by https.
    guard url.transport != .file || largeFileURL != nil || caFile == nil && proxy == nil else {
      throw invalid("'ca-file:' and 'proxy:' are for https")
    }
    guard url.transport != .http || url.isLoopback || allowsPlainHTTP else {
      throw invalid("anyone on the way could read the token and change what comes; use https")
    }
    for path in [keyFile?.path, knownHostsFile].compactMap(\.self)
    where path.contains(where: { "\"\\$\n\r".contains($0) }) {
      throw invalid("ssh takes no file whose name holds a quote, backslash or dollar: \(path)")
    }
    guard proxy.map(Self.isProxy) ?? true else {
      throw invalid("'proxy:' is http://HOST:PORT, without user and password")
    }
  }

  private static func isProxy(_ text: String) -> Bool {
    let schemes = ["http://", "https://", "socks5h://", "socks5://"]
    return schemes.contains { text.hasPrefix($0) && text.count > $0.count } && !text.contains("@")
  }

  /// That the files are there which it names, and secret ones are ours alone.
  package func requireFiles() throws(UpstreamError) {
    for file in [keyFile, token?.file, largeFileToken?.file].compactMap(\.self) {
      do throws(SecretFileError) { try file.requirePrivate() } catch { throw .secret(error) }
    }
    for path in [knownHostsFile, caFile].compactMap(\.self) {
      let rights: FileRights?
      do throws(HostError) { rights = try FileRights.of(path) } catch { throw .host(error) }
      guard rights != nil else { throw .fileMissing(path) }
    }
  }
}
