/// Whose requests count together: the peer, or the one that a trusted proxy names.
package struct ClientAddress: Hashable, Sendable {
  /// For the log, and in the limiter: an address, the network of an IPv6 address, or `local`.
  package let text: String
  /// Behind a proxy that may have as many connections as it likes.
  let isForwarded: Bool

  /// Peers at a socket in the file system, which are programs of this machine.
  static let local = ClientAddress(text: "local", isForwarded: false)

  private init(text: String, isForwarded: Bool) {
    (self.text, self.isForwarded) = (text, isForwarded)
  }

  /// `peer`: `nil` at a socket in the file system, which is trusted where any proxy is. `forwarded`: X-Forwarded-For, to
  /// which each proxy adds at the end: the last address that is no trusted proxy's counts. What a stranger writes stands before it.
  package init(peer: String?, forwarded: String?, trusting proxies: [Network]) {
    let address = peer.flatMap { IPAddress($0) }
    let isTrusted =
      !proxies.isEmpty
      && (address.map { ip in proxies.contains { $0.contains(ip) } } ?? (peer == nil))
    let own = Self.text(peer, address)
    guard isTrusted else {
      self.init(text: own, isForwarded: false)
      return
    }
    let hops = (forwarded ?? "").split(separator: ",").suffix(50).reversed().map {
      String($0.filter { $0 != " " })
    }
    for hop in hops {
      // Not an address: what stands before it cannot be trusted either.
      guard let ip = IPAddress(Self.withoutPort(hop)) else { break }
      guard !proxies.contains(where: { $0.contains(ip) }) else { continue }
      self.init(text: Self.text(hop, ip), isForwarded: true)
      return
    }
    self.init(text: own, isForwarded: true)
  }

  private static func withoutPort(_ hop: String) -> String {
    if hop.hasPrefix("["), let end = hop.firstIndex(of: "]") {
      return String(hop[hop.index(after: hop.startIndex)..<end])
    }
    return hop.count { $0 == ":" } == 1 ? String(hop.prefix { $0 != ":" }) : hop
  }

  private static func text(_ name: String?, _ address: IPAddress?) -> String {
    guard let address else { return name == nil ? local.text : "unknown" }
    if address.bytes.count == 4 { return address.bytes.map { "\($0)" }.joined(separator: ".") }
    // A network of 64 bits is one customer's (RFC 6177).
    let groups = stride(from: 0, to: 8, by: 2).map { index in
      String(UInt16(address.bytes[index]) << 8 | UInt16(address.bytes[index + 1]), radix: 16)
    }
    return groups.joined(separator: ":") + "::/64"
  }
}
