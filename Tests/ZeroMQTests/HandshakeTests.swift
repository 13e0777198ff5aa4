import CZeroMQ
import TestSupport
import Testing
import ZeroMQ

@Suite struct HandshakeTests {
  @Test func clientOnTheListIsAllowedUnderItsName() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
    #expect(
      try requireEvent(of: monitor) { $0 == .handshakeSucceeded || isHandshakeFailure($0) }
        == .handshakeSucceeded)
  }

  @Test func clientIsToldThatItIsNotOnTheList() throws {
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

  @Test func clientWithTheWrongServerKeyIsHungUpOn() throws {
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

  @Test func clientWhoseKeysAreNoPairIsRefused() throws {
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

  @Test func clientHearsThatNobodyListensAndConnectsWhenSomebodyDoes() throws {
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

  @Test func plainClientGetsNothing() throws {
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

  @Test func clientNeverSpeaksInClearToPlainServer() throws {
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
