/// What libzmq asks an authenticator about a connection that shakes hands. Source: RFC 27 (ZAP),
/// "Requests".
package struct ZAPRequest: Equatable, Sendable {
  /// To be given back, so that the answer finds its connection.
  package let requestID: [UInt8]
  package let domain: String
  /// The peer's network address.
  package let address: String
  package let key: CurvePublicKey

  static let version = Array("1.0".utf8)
  /// RFC 27: texts are of 255 bytes at most.
  static let textByteCountMax = 255

  /// `nil` for everything that is not a well-formed request about a CURVE peer.
  package init?(frames: [[UInt8]]) {
    // Version, request id, domain, address, routing id, mechanism, then the key as the only
    // credential.
    guard frames.count == 7, frames[0] == Self.version, frames[5] == Array("CURVE".utf8),
      frames[1...5].allSatisfy({ $0.count <= Self.textByteCountMax }),
      frames[6].count == CurvePublicKey.byteCount,
      let domain = String(validating: frames[2], as: UTF8.self),
      let address = String(validating: frames[3], as: UTF8.self)
    else { return nil }
    do throws(ZeroMQError) { key = try CurvePublicKey(frames[6]) } catch { return nil }
    self.requestID = frames[1]
    self.domain = domain
    self.address = address
  }
}

/// The authenticator's answer. Source: RFC 27, "Replies".
package enum ZAPReply: Equatable, Sendable {
  case allowed(userID: String)
  case refused

  /// 400 rather than 300: the client is told that it was refused, rather than left to guess.
  package func frames(requestID: [UInt8]) -> [[UInt8]] {
    let (status, text, userID) =
      switch self {
      case .allowed(let userID): ("200", "OK", userID)
      case .refused: ("400", "not on the allow-list", "")
      }
    return [
      ZAPRequest.version, requestID, Array(status.utf8), Array(text.utf8), Array(userID.utf8), [],
    ]
  }
}
