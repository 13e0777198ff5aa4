import CZeroMQ
import Glibc

/// One address that an endpoint leads to. libzmq by itself takes the first that a name has, and never another.
package struct ResolvedEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// What a socket is connected to.
  package let address: String
  /// As it was written, with the address where a name was written.
  package let description: String

  /// All of them, in the order in which the system would have them tried; an address leads to itself. Asks the resolver,
  /// and waits for it.
  package static func all(of endpoint: String) throws(ZeroMQError) -> [ResolvedEndpoint] {
    try Endpoint.check(endpoint, for: .connect, isSecured: true)
    let (host, port) = Endpoint.parts(of: endpoint)
    if host.hasPrefix("[") { return [ResolvedEndpoint(address: endpoint, description: endpoint)] }
    if case .success = addresses(of: host, flags: AI_NUMERICHOST) {
      return [ResolvedEndpoint(address: endpoint, description: endpoint)]
    }
    switch addresses(of: host, flags: 0) {
    case .failure(let failure):
      throw .nameUnresolved(host, reason: failure.reason)
    case .success(let list):
      return list.map {
        let text = $0.contains(":") ? "[\($0)]" : $0
        return ResolvedEndpoint(
          address: Endpoint.text(host: text, port: port), description: "\(endpoint) (\(text))")
      }
    }
  }

  private struct Failure: Error {
    let reason: String
  }

  private static func addresses(of host: String, flags: Int32) -> Result<[String], Failure> {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = flags
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &first)
    guard code == 0 else {
      return .failure(Failure(reason: unsafe String(cString: gai_strerror(code))))
    }
    defer { unsafe freeaddrinfo(first) }
    var found: [String] = []
    var next = unsafe first
    while let entry = unsafe next {
      unsafe next = entry.pointee.ai_next
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let code = unsafe getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      let address = String(
        decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if code == 0, !found.contains(address) { found.append(address) }
    }
    return found.isEmpty ? .failure(Failure(reason: "it has no address")) : .success(found)
  }
}
