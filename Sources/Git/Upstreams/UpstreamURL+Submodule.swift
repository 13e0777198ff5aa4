// Where the submodules of a repository come from.
extension UpstreamURL {
  /// What a URL in `.gitmodules` means for a repository that comes from this one: relative ones (`./`, `../`) count from here.
  ///
  /// Source: git-submodule(1), "add".
  package func submodule(_ url: String) throws(UpstreamError) -> UpstreamURL {
    guard url.hasPrefix("./") || url.hasPrefix("../") else { return try UpstreamURL(url) }
    var base = text.hasSuffix("/") ? text.dropLast() : text[...]
    var rest = url[...]
    var separator = "/"
    while true {
      if rest.hasPrefix("./") {
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("../") {
        rest = rest.dropFirst(3)
        guard let end = base.lastIndex(of: "/") ?? base.lastIndex(of: ":") else {
          throw .urlInvalid(text, reason: "the submodule's \(url) leads out of it")
        }
        // The path of `host:path` has no slash before its first name.
        if base[end] == ":" { separator = ":" }
        base = base[..<end]
      } else {
        break
      }
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    let resolved = try UpstreamURL(base + separator + rest)
    // More steps up than the path has names would end in another host, or in a URL of another kind.
    guard resolved.isOnServer(of: self), !rest.isEmpty else {
      throw .urlInvalid(text, reason: "the submodule's \(url) leads out of it")
    }
    return resolved
  }

  /// Whether both have the same transport, user, host and port.
  package func isOnServer(of other: UpstreamURL) -> Bool {
    transport == other.transport && server == other.server
  }

  /// Host, port and user, without the path.
  private var server: String {
    switch transport {
    case .file: return ""
    case .https, .http: return origin.lowercased()
    case .ssh:
      guard text.contains("://") else {
        // `user@host:path`; a host in brackets has colons.
        let bracket = text.firstIndex(of: "]") ?? text.startIndex
        return "ssh://" + text[..<(text[bracket...].firstIndex(of: ":") ?? text.endIndex)] + "/"
      }
      return "ssh://" + origin.drop { $0 != "/" }.dropFirst(2)
    }
  }
}

extension UpstreamSettings {
  /// What it takes to fetch a submodule of this upstream: its own credentials, on its own server. To any other server, nothing of
  /// ours goes, and nothing is fetched from there: content must not choose what we connect to.
  ///
  /// - Throws: `submoduleElsewhere`.
  package func forSubmodule(_ url: String) throws(UpstreamError) -> UpstreamSettings {
    let resolved = try self.url.submodule(url)
    // A path of this machine says nothing of who may read what is there.
    let isRelative = url.hasPrefix("./") || url.hasPrefix("../")
    guard resolved.isOnServer(of: self.url), isRelative || resolved.transport != .file else {
      throw .submoduleElsewhere(resolved, of: self.url)
    }
    var settings = self
    settings.url = resolved
    return settings
  }
}
