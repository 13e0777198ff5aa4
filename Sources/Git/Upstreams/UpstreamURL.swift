import Foundation

/// Where a repository can be fetched from: a URL of a transport that is on the list. Holds no secret.
///
/// Source: git-fetch(1), "GIT URLS"; gitremote-helpers(7) for what is refused, `ext::` for example.
package struct UpstreamURL: Sendable, Hashable, CustomStringConvertible {
  private static let byteCountMax = 2_048

  package enum Transport: String, Sendable {
    case ssh, https, http, file
  }

  package let text: String
  package let transport: Transport
  /// Empty where the transport has none, or it names none.
  package let user: String
  package let host: String
  /// `nil`: the transport's own.
  package let port: UInt16?
  /// As the server is to find the repository: with a slash before it, but for one that is relative to a home directory
  /// (`git@example.org:acme/shop.git`). Not decoded.
  package let path: String

  package init(_ text: String) throws(UpstreamError) {
    guard text.utf8.count <= Self.byteCountMax else {
      throw .urlInvalid(String(text.prefix(60)), reason: "over \(Self.byteCountMax) bytes")
    }
    func invalid(_ reason: String) -> UpstreamError { .urlInvalid(text, reason: reason) }
    guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
      throw invalid("holds spaces or control characters; write %20 for a space")
    }
    self.text = text
    let parts = try Self.parts(of: text)
    (transport, user, host) = (parts.transport, parts.user, parts.host)
    (port, path) = (parts.port, parts.path)
    guard !text.hasPrefix("-"), !host.hasPrefix("-"), !parts.user.hasPrefix("-") else {
      throw invalid("a user or host that begins with '-' is taken for an option")
    }
    guard transport == .file || !host.isEmpty else { throw invalid("names no host") }
    guard transport == .ssh || parts.user.isEmpty else {
      // The text is shown in logs: a password must not be repeated there.
      throw .urlInvalid(
        "\(transport.rawValue)://…@\(host)/…",
        reason: "holds a user or password: name them with 'user:' and 'token-file:'")
    }
    guard !parts.user.contains(":") else {
      throw .urlInvalid("ssh://…@\(host)/…", reason: "holds a password, which ssh does not take")
    }
  }

  package var description: String { text }

  /// Nobody in between reads what is said in the clear to this machine itself.
  package var isLoopback: Bool {
    let name = host.lowercased()
    return name == "localhost" || name == "[::1]"
      || name.hasPrefix("127.")
        && name.allSatisfy { $0 == "." || $0.isASCII && $0.isNumber }
  }

  /// Up to the path, with a slash at its end: `https://example.org:8443/`.
  package var origin: String {
    guard let start = text.range(of: "://") else { return text }
    let rest = text[start.upperBound...].prefix { $0 != "/" }
    return text[..<start.upperBound] + rest + "/"
  }

  private struct Parts {
    let transport: Transport
    var user = ""
    var host = ""
    var port: UInt16?
    let path: String
  }

  private static func parts(of text: String) throws(UpstreamError) -> Parts {
    if text.hasPrefix("/") { return Parts(transport: .file, path: text) }
    if let end = text.range(of: "://") {
      let scheme = text[..<end.lowerBound].lowercased()
      let transport: Transport? = scheme == "git+ssh" ? .ssh : Transport(rawValue: scheme)
      guard let transport else {
        throw .urlInvalid(text, reason: "\(scheme) is none of ssh, https, http and file")
      }
      let rest = text[end.upperBound...]
      if transport == .file {
        guard rest.hasPrefix("/") else { throw .urlInvalid(text, reason: "names no absolute path") }
        return Parts(transport: .file, path: String(rest))
      }
      let authority = rest.prefix { $0 != "/" }
      return split(authority, transport, path: rest[authority.endIndex...])
    }
    // As git has it: a colon before the first slash, and none before it is a remote helper.
    let bracket = text.firstIndex(of: "]") ?? text.startIndex
    guard let colon = text[bracket...].firstIndex(of: ":"), !text[..<colon].contains("/"),
      !text[colon...].hasPrefix("::")
    else {
      throw .urlInvalid(
        text, reason: "is no URL; a repository of this machine is named with 'path:'")
    }
    return split(text[..<colon], .ssh, path: text[text.index(after: colon)...])
  }

  private static func split(
    _ authority: Substring, _ transport: Transport, path: Substring
  ) -> Parts {
    let at = authority.lastIndex(of: "@")
    var parts = Parts(transport: transport, path: String(path))
    parts.user = at.map { String(authority[..<$0]) } ?? ""
    let place = at.map { authority[authority.index(after: $0)...] } ?? authority
    if place.hasPrefix("["), let end = place.firstIndex(of: "]") {
      parts.host = String(place[...end])
    } else {
      parts.host = String(place.prefix { $0 != ":" })
    }
    let rest = place.dropFirst(parts.host.count)
    if rest.hasPrefix(":") { parts.port = UInt16(rest.dropFirst()) }
    return parts
  }
}
