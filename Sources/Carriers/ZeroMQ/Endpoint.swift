import CZeroMQ
import Glibc

/// What a socket may be bound or connected to. libzmq would cut port 99999 down to one that fits,
/// take other transports than TCP without asking for CURVE, and let anyone bind the authenticator's
/// name.
package enum Endpoint {
  package enum Purpose { case bind, connect }

  static let authenticator = "inproc://zeromq.zap.01"
  private static let tcp = "tcp://"
  private static let inProcess = "inproc://"
  /// A name of DNS has 253 characters, an address with a scope less.
  private static let hostByteCountMax = 253

  /// Throws where the text is no `tcp://host:port` that a secured socket takes.
  package static func check(_ text: String, for purpose: Purpose) throws(ZeroMQError) {
    try check(text, for: purpose, isSecured: true)
  }

  static func check(
    _ text: String, for purpose: Purpose, isSecured: Bool
  ) throws(ZeroMQError) {
    guard let fault = fault(of: text, for: purpose, isSecured: isSecured) else { return }
    throw .endpointInvalid(text, reason: fault)
  }

  private static func fault(
    of text: String, for purpose: Purpose, isSecured: Bool
  ) -> EndpointFault? {
    guard isSecured else {
      guard text.hasPrefix(inProcess), text.count > inProcess.count else { return .notInProcess }
      return text == authenticator && purpose == .bind ? .reserved : nil
    }
    guard text.hasPrefix(tcp) else { return .notTCP }
    let address = text.dropFirst(tcp.count)
    guard let colon = address.lastIndex(of: ":") else { return .badPort }
    guard isHost(address[..<colon], for: purpose) else { return .badHost }
    return isPort(address[address.index(after: colon)...], for: purpose) ? nil : .badPort
  }

  /// Of a text that was checked.
  static func parts(of text: String) -> (host: String, port: String) {
    let address = text.dropFirst(tcp.count)
    guard let colon = address.lastIndex(of: ":") else { return (String(address), "") }
    return (String(address[..<colon]), String(address[address.index(after: colon)...]))
  }

  static func text(host: String, port: String) -> String { "\(tcp)\(host):\(port)" }

  private static func isHost(_ host: Substring, for purpose: Purpose) -> Bool {
    guard !host.isEmpty, host.utf8.count <= hostByteCountMax else { return false }
    if host == "*" { return purpose == .bind }
    // An IPv6 address stands in brackets, or its last group would pass for the port.
    if host.hasPrefix("[") {
      return host.hasSuffix("]") && host.dropFirst().dropLast().contains(":")
        && host.dropFirst().dropLast().allSatisfy { isHostCharacter($0) || $0 == ":" || $0 == "%" }
    }
    return host.allSatisfy(isHostCharacter)
  }

  private static func isHostCharacter(_ character: Character) -> Bool {
    character.isASCII
      && (character.isLetter || character.isNumber || "-._".contains(character))
  }

  private static func isPort(_ port: Substring, for purpose: Purpose) -> Bool {
    if port == "*" { return purpose == .bind }
    guard port.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
      let number = UInt16(port)
    else { return false }
    return number > 0 || purpose == .bind
  }

  static func failure(_ code: Int32, of call: String, _ endpoint: String) -> ZeroMQError {
    switch code {
    case EADDRINUSE: .addressInUse(endpoint: endpoint)
    case EADDRNOTAVAIL: .addressNotOurs(endpoint: endpoint)
    case EACCES, EPERM: .addressForbidden(endpoint: endpoint)
    case ENODEV, EINVAL: .endpointInvalid(endpoint, reason: .unknownHost)
    case ENOENT: .notConnected(endpoint: endpoint)
    case ETERM: .contextEnded
    default: .system(call: call, code: code)
    }
  }
}
