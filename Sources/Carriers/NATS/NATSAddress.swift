/// Where a server is: `tls://HOST[:PORT]`, or `nats://` on this machine alone.
package struct NATSAddress: Sendable, Equatable, CustomStringConvertible {
  package let host: String
  package let port: UInt16
  package let isSecured: Bool

  package enum Fault: String, Error, Sendable {
    case scheme = "must begin with tls://, or with nats:// for a server on this machine"
    case plain = "must be tls://: without TLS, anybody on the way reads what is sent"
    case login =
      "must not hold a user or a password: they belong into 'credentials-file:', or 'user:' and 'password-file:'"
    case host = "must name a host, and perhaps a port, and nothing else"
    case port = "the port must be a number from 1 to 65535"
  }

  package init(_ text: String) throws(Fault) {
    isSecured = text.hasPrefix("tls://")
    guard isSecured || text.hasPrefix("nats://") else { throw .scheme }
    var rest = text.dropFirst(isSecured ? 6 : 7)
    guard !rest.contains("@") else { throw .login }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    (host, port) = try Self.split(rest)
    guard isSecured || isHere else { throw .plain }
  }

  private static func split(_ authority: Substring) throws(Fault) -> (String, UInt16) {
    var (host, port) = (authority, Substring())
    if authority.hasPrefix("[") {
      guard let bracket = authority.firstIndex(of: "]") else { throw .host }
      host = authority[authority.index(after: authority.startIndex)..<bracket]
      port = authority[authority.index(after: bracket)...]
    } else if let colon = authority.firstIndex(of: ":") {
      (host, port) = (authority[..<colon], authority[colon...])
    }
    guard host.wholeMatch(of: /[0-9A-Za-z._:\-]+/) != nil else { throw .host }
    guard !port.isEmpty else { return (String(host), 4_222) }
    guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
      throw .port
    }
    return (String(host), number)
  }

  /// Whether it is on this machine.
  package var isHere: Bool {
    host == "localhost" || host == "::1" || host.wholeMatch(of: /127(?:\.[0-9]{1,3}){3}/) != nil
  }

  package var description: String {
    "\(isSecured ? "tls" : "nats")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}

/// By what a server knows us.
package enum NATSLogin: Sendable {
  /// On this machine alone.
  case none
  /// A file with a user's JWT and the seed that it is proved by.
  case credentials(path: String)
  case user(String, password: String)
}
