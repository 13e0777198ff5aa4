import CZeroMQ
import TestSupport
import Testing
import ZeroMQ

/// What comes over TCP from someone who keeps to no protocol costs that connection, and no other.
@Suite struct HostilePeerTests {
  /// Greets as a CURVE client does, up to the mechanism's name. Source: RFC 23 (ZMTP 3.0), "The
  /// greeting".
  private static let greeting: [UInt8] =
    [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("CURVE".utf8)
    + Array(repeating: 0, count: 15) + [0] + Array(repeating: 0, count: 31)

  private static let garbage: [[UInt8]] = [
    Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
    Array(repeating: 0, count: 200),
    Array(repeating: 0xFF, count: 200),
    greeting + [4, 200] + Array(repeating: 0x41, count: 200),
    // A command that says it has 2^63 - 1 bytes.
    greeting + [6, 0x7F] + Array(repeating: 0xFF, count: 7) + Array(repeating: 0, count: 200),
    // HELLO of the right length, with nothing in it that decrypts.
    greeting + [4, 200, 5] + Array("HELLO".utf8) + [1, 0] + Array(repeating: 0, count: 192),
  ]

  @Test(arguments: garbage)
  func `garbage ends its own connection only`(bytes: [UInt8]) throws {
    var options = quickOptions()
    // The honest client has to keep to it as well.
    options.handshakeTimeout = .seconds(2)
    let loopback = try Loopback(options)
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client, "before")

    let raw = try RawConnection(to: loopback.endpoint)
    try raw.send(bytes)
    _ = try raw.readToEnd()
    #expect(try loopback.server.receive() == nil)
    try loopback.requireExchange(with: client, "after")
  }

  @Test(arguments: [0, 1, 10, 11, 40, 64])
  func `connection that falls silent is hung up on`(byteCount: Int) throws {
    var options = quickOptions()
    options.handshakeTimeout = .milliseconds(100)
    let loopback = try Loopback(options)
    let raw = try RawConnection(to: loopback.endpoint)
    if byteCount > 0 { try raw.send(Array(Self.greeting.prefix(byteCount))) }
    _ = try raw.readToEnd()
    let failure = try requireEvent(of: loopback.monitor, isHandshakeFailure)
    guard case .handshakeFailed(.noDetail) = failure else { throw Unexpected(what: "\(failure)") }
  }

  /// CVE-2020-15166: on libzmq 4.3.2, one open connection that never shakes hands keeps all
  /// messages from arriving.
  @Test func `silent connections do not keep clients waiting`() throws {
    let loopback = try Loopback()
    let silent = try (0..<50).map { _ in try RawConnection(to: loopback.endpoint) }
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
    #expect(silent.count == 50)
  }

  @Test func `frame at the limit passes and one byte more ends the connection`() throws {
    var limited = quickOptions()
    limited.frameByteCountMax = 1_000
    let loopback = try Loopback(limited)
    let well = try loopback.client()
    try well.connect(loopback.endpoint)
    try loopback.requireExchange(with: well)

    let client = try loopback.client()
    let monitor = try Monitor(client)
    try client.connect(loopback.endpoint)
    let largest = [UInt8](repeating: 7, count: 1_000)
    try #require(try client.send([largest], by: .after(patience)) == .sent)
    #expect(try requireMessage(at: loopback.server).frames == [largest])
    #expect(try client.send([largest + [7]]) == .sent)
    #expect(try requireEvent(of: monitor) { $0 == .disconnected } == .disconnected)
    #expect(try loopback.server.receive() == nil)
    try loopback.requireExchange(with: well, "after")
  }

  @Test func `message of too many frames is told apart from its senders others`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    let frameCountMax = quickOptions().frameCountMax
    let most = Array(repeating: [UInt8(1)], count: frameCountMax)
    try #require(try client.send(most + [[2]], by: .after(patience)) == .sent)
    try #require(try client.send(most) == .sent)
    let first = try #require(try loopback.server.receive(by: .after(patience)))
    guard case .tooManyFrames(frameCountMax + 1, let sender) = first else {
      throw Unexpected(what: "\(first)")
    }
    #expect(sender.userID == "alice")
    #expect(try requireMessage(at: loopback.server).frames == most)
  }
}
