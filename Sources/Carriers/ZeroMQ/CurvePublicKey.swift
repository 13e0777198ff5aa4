/// The public half of a CURVE key pair (X25519): what a peer is known by before it has a name.
///
/// Source: RFC 26 (CurveZMQ). Its secret half never has a type here: it is lent as a `Span` for the
/// length of one call, and libzmq keeps its own copies until the socket is closed.
package struct CurvePublicKey: Hashable, Sendable {
  package static let byteCount = 32

  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) throws(ZeroMQError) {
    guard bytes.count == Self.byteCount else { throw .keyByteCountWrong(actual: bytes.count) }
    self.bytes = bytes
  }
}
