import Foundation

/// An `http:` or `https:` URL without user information and fragment.
///
/// Plain `http:` only to this machine itself, unless it was asked for: what is sent elsewhere can be read and changed on its
/// way.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
  private static let byteCountMax = 8_192

  package let text: String
  private let url: URL
  package let host: String
  package let isEncrypted: Bool
  private let port: Int

  package init(_ text: String, allowsPlainHTTP: Bool = false) throws(WebError) {
    guard text.utf8.count <= Self.byteCountMax,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let url = URL(string: text),
      let parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
      let host = parts.host, !host.isEmpty
    else { throw .addressInvalid(text: Self.quoted(text), reason: "is not a URL") }
    guard parts.user == nil, parts.password == nil else {
      throw .addressInvalid(
        text: host, reason: "has a user or a password in it; name a file that holds them")
    }
    guard parts.fragment == nil else {
      throw .addressInvalid(text: text, reason: "has a fragment: '#…'")
    }
    switch parts.scheme?.lowercased() {
    case "https": isEncrypted = true
    case "http" where allowsPlainHTTP || Self.isLoopback(host): isEncrypted = false
    case "http":
      throw .addressInvalid(text: text, reason: "http: is for this machine alone; use https:")
    default: throw .addressInvalid(text: text, reason: "begins with neither https: nor http:")
    }
    (self.text, self.url, self.host) = (text, url, host)
    port = parts.port ?? (isEncrypted ? 443 : 80)
  }

  package var description: String { text }

  /// Scheme, host and port: credentials are for these.
  package var origin: String {
    let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    return "\(isEncrypted ? "https" : "http")://\(name.lowercased()):\(port)"
  }

  package func hasSameOrigin(as other: WebAddress) -> Bool { origin == other.origin }

  /// Below this one: `path` begins with `/`, and is escaped where it has to be.
  package func appending(_ path: String) throws(WebError) -> WebAddress {
    try WebAddress((text.hasSuffix("/") ? String(text.dropLast()) : text) + path)
  }

  /// What a `Location:` means on a page that was found here.
  func resolving(_ location: String) throws(WebError) -> WebAddress {
    guard location.utf8.count <= Self.byteCountMax,
      let found = URL(string: location, relativeTo: url)
    else { throw .addressInvalid(text: Self.quoted(location), reason: "is not a URL") }
    let isPlainAsked = !isEncrypted && !Self.isLoopback(host)
    return try WebAddress(found.absoluteString, allowsPlainHTTP: isPlainAsked)
  }

  /// One component of a path, or one value of a query: everything is escaped but letters, digits and `-._~`.
  package static func escaped(_ component: String) -> String {
    let plain = CharacterSet(charactersIn: "-._~").union(
      CharacterSet(charactersIn: "a"..."z")
    ).union(CharacterSet(charactersIn: "A"..."Z"))
      .union(CharacterSet(charactersIn: "0"..."9"))
    return component.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
  }

  package static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased().trimmingCharacters(in: ["[", "]"])
    if name == "localhost" || name == "::1" { return true }
    let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
  }

  private static func quoted(_ text: String) -> String {
    String(
      decoding: text.utf8.prefix(200).map { $0 > 0x20 && $0 < 0x7f ? $0 : 0x3f }, as: UTF8.self)
  }
}
