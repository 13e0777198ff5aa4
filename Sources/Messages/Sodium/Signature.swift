/// An Ed25519 signature: 64 bytes. Source: RFC 8032.
package struct Signature: Hashable, Sendable {
  package static let byteCount = 64
  package let bytes: [UInt8]

  /// `nil` unless there are exactly 64 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }
}

/// The only thing that is ever signed: a body together with its type, so that a signature over one
/// kind of statement can't be passed off as one over another.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in decimal. Source: DSSE v1,
/// protocol.md, "Signature Definition".
package struct PreAuthenticationEncoding: Hashable, Sendable {
  package let bytes: [UInt8]

  package init(type: String, body: [UInt8]) {
    let head = "DSSEv1 \(type.utf8.count) \(type) \(body.count) "
    bytes = Array(head.utf8) + body
  }
}
