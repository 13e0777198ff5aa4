import TestSupport
import Testing
import ZeroMQ

@Suite struct AllowListTests {
  @Test func `client that is added gets in when it connects again`() throws {
    let loopback = try Loopback()
    let keys = try KeyPair()
    let client = try loopback.client(keys: keys)
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    _ = try requireEvent(of: monitor, isHandshakeFailure)

    loopback.authenticator.replaceAllowList(with: [keys.publicKey: "bob"])
    try client.disconnect(loopback.endpoint)
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client, as: "bob")
  }

  @Test func `client that is removed is no longer heard on its open connection`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)

    loopback.authenticator.replaceAllowList(with: [:])
    try #require(try client.send([[1], [2]], by: .after(patience)) == .sent)
    let received = try #require(try loopback.server.receive(by: .after(patience)))
    guard case .noLongerAllowed(let sender) = received else {
      throw Unexpected(what: "\(received)")
    }
    #expect(sender.userID == "alice")
    #expect(try loopback.server.receive() == nil)
  }

  @Test func `client that is removed cannot connect again`() throws {
    let loopback = try Loopback()
    loopback.authenticator.replaceAllowList(with: [:])
    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    #expect(
      try requireEvent(of: monitor) { $0 == .handshakeSucceeded || isHandshakeFailure($0) }
        == .handshakeFailed(.refused(status: 400)))
  }

  @Test func `nobody gets in once the authenticator has stopped`() throws {
    var options = quickOptions()
    options.handshakeTimeout = .milliseconds(200)
    let loopback = try Loopback(options)
    loopback.authenticator.stop()
    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    let event = try requireEvent(of: monitor) {
      $0 == .handshakeSucceeded || isHandshakeFailure($0)
    }
    guard case .handshakeFailed(.noDetail) = event else { throw Unexpected(what: "\(event)") }
    #expect(try client.send([[1]], by: .after(.milliseconds(50))) == .wouldBlock)
  }

  @Test func `open connections outlive the authenticators thread`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
    loopback.authenticator.stop()
    try loopback.requireExchange(with: client, "still here")
  }
}
