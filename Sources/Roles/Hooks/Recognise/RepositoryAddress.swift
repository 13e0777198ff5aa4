/// Where a repository is, so that its addresses by ssh, https and scp's form are equal: host and path, without user, port,
/// `.git` and case.
package struct RepositoryAddress: Hashable, Sendable {
  /// Empty for a path of this machine.
  package let host: String
  package let path: String

  /// ssh on port 443 has a host of its own.
  private static let aliases = [
    "ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org", "www.github.com": "github.com",
  ]

  package init(_ text: String) {
    let (host, path) = Self.parts(of: text[...])
    let name = host.lowercased()
    self.host = Self.aliases[name] ?? name
    self.path = Self.normalised(path)
  }

  private static func parts(of text: Substring) -> (Substring, Substring) {
    if let scheme = text.firstRange(of: "://") {
      let rest = text[scheme.upperBound...]
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      let authority = rest[..<slash]
      let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }
      let name = authority[
        (authority.lastIndex(of: "@").map(authority.index(after:)) ?? authority.startIndex)...]
      // An IPv6 address is in brackets.
      if name.hasPrefix("["), let end = name.firstIndex(of: "]") { return (name[...end], path) }
      return (name.prefix { $0 != ":" }, path)
    }
    // scp's form has no slash before its first colon (git-clone(1), "GIT URLS").
    guard let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") else {
      return ("", text)
    }
    let authority = text[..<colon]
    let name = authority[
      (authority.lastIndex(of: "@").map(authority.index(after:)) ?? authority.startIndex)...]
    return (name, text[text.index(after: colon)...])
  }

  private static func normalised(_ path: Substring) -> String {
    var parts = path.split(separator: "/").map { $0.lowercased() }
    // Bitbucket Data Center has it in addresses by https only, after the path of the server itself.
    if let place = parts.lastIndex(of: "scm"), parts.count - place == 3 {
      parts.removeFirst(place + 1)
    }
    if let last = parts.last, last.hasSuffix(".git"), last.count > 4 {
      parts[parts.count - 1] = String(last.dropLast(4))
    }
    return parts.joined(separator: "/")
  }

  /// `acme/shop`, whatever the host is.
  func hasPath(_ path: String) -> Bool { self.path == Self.normalised(path[...]) }
}
