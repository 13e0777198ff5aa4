import CZeroMQ
import TestSupport
import Testing
import ZeroMQ

@Suite struct HandshakeTests {
  @Test func `client on the list is allowed under its name`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
    #expect(
      try requireEvent(of: monitor) { $0 == .handshakeSucceeded || isHandshakeFailure($0) }
        == .handshakeSucceeded)
  }

  @Test func `client is told that it is not on the list`() throws {
    let loopback = try Loopback()
    let stranger = try loopback.client(keys: KeyPair())
    let monitor = try Monitor(stranger)
    try stranger.connect(loopback.endpoint)
    let refused = MonitorEvent.Kind.handshakeFailed(.refused(status: 400))
    #expect(try requireEvent(of: monitor, isHandshakeFailure) == refused)
    #expect(try requireEvent(of: loopback.monitor, isHandshakeFailure) == refused)
    #expect(try stranger.send([[1]], by: .after(.milliseconds(50))) == .wouldBlock)
    #expect(try loopback.server.receive() == nil)
  }

  @Test func `client with the wrong server key is hung up on`() throws {
    let loopback = try Loopback()
    let client = try loopback.client(serverKey: KeyPair().publicKey)
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    let failure = try requireEvent(of: monitor, isHandshakeFailure)
    guard case .handshakeFailed(.noDetail) = failure else { throw Unexpected(what: "\(failure)") }
    #expect(
      try requireEvent(of: loopback.monitor, isHandshakeFailure)
        == .handshakeFailed(.protocolBroken(.cryptographic)))
    #expect(try loopback.server.receive() == nil)
  }

  @Test func `client whose keys are no pair is refused`() throws {
    let loopback = try Loopback()
    let others = try KeyPair()
    let client = try Socket(
      client: .dealer, in: loopback.context, serverKey: loopback.serverKeys.publicKey,
      publicKey: loopback.clientKeys.publicKey, secret: others.secret.span,
      options: quickOptions())
    try client.connect(loopback.endpoint)
    #expect(
      try requireEvent(of: loopback.monitor, isHandshakeFailure)
        == .handshakeFailed(.protocolBroken(.cryptographic)))
    #expect(try loopback.server.receive() == nil)
  }

  @Test func `client hears that nobody listens and connects when somebody does`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    let monitor = try Monitor(client)
    let endpoint = try FreePort.endpoint()
    try client.connect(endpoint)
    let event = try requireEvent(of: monitor) {
      if case .connectRetried = $0 { true } else { false }
    }
    #expect(event != .handshakeSucceeded)
    try loopback.server.bind(endpoint)
    try loopback.requireExchange(with: client)
  }

  @Test func `plain client gets nothing`() throws {
    let loopback = try Loopback()
    let raw = try PlainSocket(ZMQ_DEALER)
    try raw.connect(loopback.endpoint)
    raw.send("in clear")
    // Which side notices first decides how it is reported.
    _ = try requireEvent(of: loopback.monitor, isHandshakeFailure)
    #expect(try loopback.server.receive() == nil)
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
  }

  @Test func `client never speaks in clear to plain server`() throws {
    let loopback = try Loopback()
    let raw = try PlainSocket(ZMQ_ROUTER)
    let endpoint = try raw.bind()
    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(endpoint)
    // Which side notices first decides how it is reported.
    let event = try requireEvent(of: monitor) {
      $0 == .handshakeSucceeded || isHandshakeFailure($0)
    }
    #expect(event != .handshakeSucceeded)
    #expect(try client.send([[1]], by: .after(.milliseconds(50))) == .wouldBlock)
  }
}
