/// Where a broker is: `amqps://USER@HOST[:PORT]/[VHOST]`, or `amqp://` on this machine alone. A cluster has several hosts
/// with commas between.
package struct RabbitMQAddress: Sendable, Equatable {
  /// One server of a cluster.
  package struct Node: Sendable, Equatable {
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }
  }

  package let user: String
  /// At least one; each has every queue.
  package let nodes: [Node]
  package let virtualHost: String
  package let isSecured: Bool

  package enum Fault: String, Error, Sendable {
    case scheme = "must begin with amqps://, or with amqp:// for a broker on this machine"
    case plain = "must be amqps://: without TLS, anybody on the way reads the password"
    case user = "must name a user, as in amqps://distro@HOST/"
    case password = "must not hold a password: it belongs into 'password-file:'"
    case host = "must name a host"
    case port = "the port must be a number from 1 to 65535"
    case virtualHost = "must end with a slash, or with one and the name of a virtual host"
  }

  package init(_ text: String) throws(Fault) {
    let isSecured = text.hasPrefix("amqps://")
    guard isSecured || text.hasPrefix("amqp://") else { throw .scheme }
    var rest = text.dropFirst(isSecured ? 8 : 7)
    guard let at = rest.firstIndex(of: "@"), at > rest.startIndex else { throw .user }
    let user = rest[..<at]
    guard !user.contains(":") else { throw .password }
    rest = rest[rest.index(after: at)...]
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = rest[..<end]
    let path = rest[end...].dropFirst()
    var nodes: [Node] = []
    for part in authority.split(separator: ",", omittingEmptySubsequences: false) {
      nodes.append(try Self.node(part, isSecured ? 5671 : 5672))
    }
    guard !path.contains("/"), !path.contains("?"),
      let virtualHost = Self.decode(path.isEmpty ? "/" : path), let name = Self.decode(user)
    else { throw .virtualHost }
    guard isSecured || nodes.allSatisfy({ Self.isHere($0.host) }) else { throw .plain }
    (self.user, self.nodes) = (name, nodes)
    (self.virtualHost, self.isSecured) = (virtualHost, isSecured)
  }

  private static func node(
    _ authority: Substring, _ standard: UInt16
  ) throws(Fault) -> Node {
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
    guard !port.isEmpty else { return Node(host: String(host), port: standard) }
    guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
      throw .port
    }
    return Node(host: String(host), port: number)
  }

  /// `nil`: a percent sign without its two digits, or bytes that are no text.
  private static func decode(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
        value >= 0x20
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func isHere(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.wholeMatch(of: /127(?:\.[0-9]{1,3}){3}/) != nil
  }
}
