package import Sodium
package import ZeroMQ

/// Our identity on the wire: the transport key pair, whose secret half is only lent to the call that secures a socket.
package struct TransportIdentity: Sendable {
  package let publicKey: CurvePublicKey
  private let lendSecret: @Sendable (_ borrower: (Span<UInt8>) throws -> Void) throws -> Void

  package init(
    publicKey: CurvePublicKey,
    lendSecret: @escaping @Sendable (_ borrower: (Span<UInt8>) throws -> Void) throws -> Void
  ) {
    self.publicKey = publicKey
    self.lendSecret = lendSecret
  }

  package func server(
    for authenticator: Authenticator, options: SocketOptions
  ) throws -> Socket {
    var socket: Socket?
    try lendSecret { secret in
      socket = try Socket(server: .router, for: authenticator, secret: secret, options: options)
    }
    guard let socket = socket.take() else { preconditionFailure("the secret was not lent") }
    return socket
  }

  package func client(
    of serverKey: CurvePublicKey, in context: Context, options: SocketOptions
  ) throws -> Socket {
    var socket: Socket?
    try lendSecret { secret in
      socket = try Socket(
        client: .dealer, in: context, serverKey: serverKey, publicKey: publicKey, secret: secret,
        options: options)
    }
    guard let socket = socket.take() else { preconditionFailure("the secret was not lent") }
    return socket
  }
}

extension TransportIdentity {
  /// The transport half of an identity.
  package init(_ identity: Identity) {
    self.init(publicKey: CurvePublicKey(of: identity.public)) { borrower in
      try identity.withTransportSecret(borrower)
    }
  }
}

extension CurvePublicKey {
  /// The transport key of an identity.
  package init(of identity: PublicIdentity) {
    do {
      try self.init(identity.transportKey.bytes)
    } catch {
      preconditionFailure("a transport key has the length of a key: \(error)")
    }
  }
}
