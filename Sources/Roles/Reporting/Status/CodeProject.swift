/// A repository as its code host names it: `owner/name`, of GitLab with groups between, or its number; of Bitbucket Data
/// Center `KEY/slug`.
package struct CodeProject: Hashable, Sendable, CustomStringConvertible {
  private static let componentCountMax = 20
  private static let byteCountMax = 500

  package let components: [String]
  package var description: String { components.joined(separator: "/") }

  /// `nil`: not of the form that the host has.
  package init?(_ text: String, of host: CodeHost) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard text.utf8.count <= Self.byteCountMax, parts.count <= Self.componentCountMax,
      parts.allSatisfy({ !["", ".", ".."].contains($0) && $0.utf8.allSatisfy(Self.isPlain) })
    else { return nil }
    switch host {
    case .gitlab:
      guard parts.count > 1 || UInt64(text) != nil else { return nil }
    default:
      guard parts.count == 2 else { return nil }
    }
    components = parts
  }

  /// From the name of a remote: `git@host:owner/name.git`, `ssh://git@host:port/owner/name`, `https://host/owner/name`;
  /// Bitbucket Data Center has `/scm` before it, over HTTPS.
  package init?(remote: String, of host: CodeHost) {
    var path: Substring
    if let scheme = remote.firstRange(of: "://") {
      let rest = remote[scheme.upperBound...]
      guard let slash = rest.firstIndex(of: "/") else { return nil }
      path = rest[rest.index(after: slash)...]
    } else if let colon = remote.firstIndex(of: ":"), !remote[..<colon].contains("/") {
      path = remote[remote.index(after: colon)...]
    } else {
      return nil
    }
    if path.hasSuffix("/") { path = path.dropLast() }
    if path.hasSuffix(".git") { path = path.dropLast(4) }
    while path.hasPrefix("/") { path = path.dropFirst() }
    if host == .bitbucketDataCenter, path.hasPrefix("scm/") { path = path.dropFirst(4) }
    self.init(String(path), of: host)
  }

  private static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }
}
