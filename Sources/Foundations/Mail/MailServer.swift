import Foundation

/// Where mail is handed in, and how: `smtps://host` (TLS, port 465), or `smtp://host` (port 587), which becomes TLS by
/// STARTTLS before anything else is said. In clear only on this machine itself, port 25.
package struct MailServer: Hashable, Sendable, CustomStringConvertible {
  package let host: String
  package let port: Int
  /// From the first byte.
  let isEncrypted: Bool
  let needsStartTLS: Bool
  /// Certificates of authorities in PEM form, in place of the system's.
  package let certificateFile: String?

  /// `startTLS`: `nil`, unless the address is of this machine: yes.
  package init(
    _ text: String, startTLS: Bool? = nil, certificateFile: String? = nil
  ) throws(MailError) {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil,
      ["", "/"].contains(parts.path), parts.query == nil, parts.fragment == nil,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else {
      throw .serverInvalid(
        parts(of: text), reason: "smtps://host or smtp://host expected, with a port or without")
    }
    let isOwn = Self.isLoopback(host)
    switch scheme {
    case "smtps":
      (isEncrypted, needsStartTLS) = (true, false)
    case "smtp":
      let startTLS = startTLS ?? !isOwn
      guard startTLS || isOwn else {
        throw .serverInvalid(host, reason: "in clear only on this machine itself")
      }
      (isEncrypted, needsStartTLS) = (false, startTLS)
    default:
      throw .serverInvalid(host, reason: "begins with neither smtps: nor smtp:")
    }
    self.host = host
    port = parts.port ?? (isEncrypted ? 465 : needsStartTLS ? 587 : 25)
    self.certificateFile = certificateFile
  }

  package var description: String {
    "\(isEncrypted ? "smtps" : "smtp")://\(host):\(port)"
  }

  private static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased().trimmingCharacters(in: ["[", "]"])
    let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
    return name == "localhost" || name == "::1"
      || numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
  }
}

/// What may be shown of an address that may hold a password.
private func parts(of text: String) -> String {
  String((text.split(separator: "@").last ?? "").unicodeScalars.prefix(100))
}
