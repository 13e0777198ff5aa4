/// Where a broker is: `stomp+ssl://HOST[:PORT][/VIRTUAL-HOST]`, or `stomp://` on this machine alone.
package struct STOMPAddress: Sendable, Equatable {
  package let host: String
  package let port: UInt16
  /// What a broker is told in `host:`. ActiveMQ has no use for it.
  package let virtualHost: String
  package let isSecured: Bool

  package enum Fault: String, Error, Sendable {
    case scheme = "must begin with stomp+ssl://, or with stomp:// for a broker on this machine"
    case plain = "must be stomp+ssl://: without TLS, anybody on the way reads the password"
    case user = "must not hold a user or a password: they belong into 'user:' and 'password-file:'"
    case host = "must name a host"
    case port = "the port must be a number from 1 to 65535"
    case virtualHost =
      "must end behind the port, or with a slash and a virtual host of printable characters"
  }

  package init(_ text: String) throws(Fault) {
    let isSecured = text.hasPrefix("stomp+ssl://")
    guard isSecured || text.hasPrefix("stomp://") else { throw .scheme }
    let rest = text.dropFirst(isSecured ? 12 : 8)
    guard !rest.contains("@") else { throw .user }
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    let (host, port) = try Self.split(rest[..<end], isSecured ? 61_612 : 61_613)
    guard isSecured || Self.isHere(host) else { throw .plain }
    let path = rest[end...].dropFirst()
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !path.contains(where: "?#%".contains)
    else { throw .virtualHost }
    (self.host, self.port, self.isSecured) = (host, port, isSecured)
    virtualHost = end == rest.endIndex ? host : path.isEmpty ? "/" : String(path)
  }

  private static func split(
    _ authority: Substring, _ standard: UInt16
  ) throws(Fault) -> (String, UInt16) {
    var (host, port) = (authority, Substring())
    if authority.hasPrefix("[") {
      guard let bracket = authority.firstIndex(of: "]") else { throw .host }
      host = authority[authority.index(after: authority.startIndex)..<bracket]
      port = authority[authority.index(after: bracket)...]
    } else if let colon = authority.firstIndex(of: ":") {
      (host, port) = (authority[..<colon], authority[colon...])
    }
    let isName = host.utf8.allSatisfy { byte in
      UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
        || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || "-._:".utf8.contains(byte)
    }
    guard !host.isEmpty, isName else { throw .host }
    guard !port.isEmpty else { return (String(host), standard) }
    guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
      throw .port
    }
    return (String(host), number)
  }

  private static func isHere(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.wholeMatch(of: /127(?:\.[0-9]{1,3}){3}/) != nil
  }
}
