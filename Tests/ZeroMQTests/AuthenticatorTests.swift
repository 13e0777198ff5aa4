import Synchronization
import TestSupport
import Testing
import ZeroMQ

@Suite struct AuthenticatorTests {
  private let key: CurvePublicKey
  private let wellFormed: [[UInt8]]

  init() throws {
    key = try KeyPair().publicKey
    wellFormed =
      ["1.0", "7", "distro", "192.0.2.1", "", "CURVE"].map { Array($0.utf8) } + [key.bytes]
  }

  private func asker(in context: Context) throws -> Socket {
    var options = SocketOptions()
    options.frameCountMax = 16
    let asker = try Socket(inProcess: .dealer, in: context, options: options)
    try asker.connect("inproc://zeromq.zap.01")
    return asker
  }

  private func answer(
    to request: [[UInt8]], at asker: borrowing Socket
  ) throws -> [[UInt8]] {
    try #require(try asker.send([[]] + request, by: .after(patience)) == .sent)
    return Array(try requireMessage(at: asker).frames.dropFirst())
  }

  @Test func `allows the key on its list`() throws {
    let context = try Context()
    let authenticator = try Authenticator(in: context, allowing: [key: "alice"])
    let asker = try asker(in: context)
    let reply = try answer(to: wellFormed, at: asker)
    #expect(reply == ZAPReply.allowed(userID: "alice").frames(requestID: Array("7".utf8)))
    authenticator.stop()
  }

  @Test func `refuses what is no request about an allowed key`() throws {
    let context = try Context()
    let authenticator = try Authenticator(in: context, allowing: [key: "alice"])
    let asker = try asker(in: context)
    func changed(_ index: Int, _ bytes: [UInt8]) -> [[UInt8]] {
      var request = wellFormed
      request[index] = bytes
      return request
    }
    let malformed: [[[UInt8]]] = [
      [], [[]], Array(wellFormed.dropLast()), wellFormed + [[1]],
      wellFormed + Array(repeating: [1], count: 40),
      changed(0, Array("1.1".utf8)), changed(1, Array(repeating: 55, count: 256)),
      changed(2, Array("global".utf8)), changed(2, []), changed(2, [0xFF]), changed(3, [0xC0]),
      changed(5, Array("PLAIN".utf8)), changed(5, Array("NULL".utf8)),
      changed(6, []), changed(6, Array(key.bytes.dropLast())), changed(6, key.bytes + [0]),
      changed(6, key.bytes.reversed()),
    ]
    for request in malformed {
      #expect(try answer(to: request, at: asker)[2] == Array("400".utf8), "\(request)")
    }
    #expect(try answer(to: wellFormed, at: asker)[2] == Array("200".utf8))
    authenticator.stop()
  }

  @Test func `tells whom it refused`() throws {
    let context = try Context()
    let log = RefusalLog()
    let authenticator = try Authenticator(in: context, allowing: [:]) { log.append($0) }
    let asker = try asker(in: context)
    _ = try answer(to: wellFormed, at: asker)
    authenticator.stop()
    #expect(log.all.map(\.key) == [key])
    #expect(log.all.map(\.address) == ["192.0.2.1"])
  }

  @Test func `only one serves a context`() throws {
    let context = try Context()
    let first = try Authenticator(in: context, allowing: [:])
    #expect(throws: ZeroMQError.addressInUse(endpoint: "inproc://zeromq.zap.01")) {
      _ = try Authenticator(in: context, allowing: [:])
    }
    first.stop()
    first.stop()
    let next = try Authenticator(in: context, allowing: [:])
    next.stop()
  }

  @Test func `nobody else takes its name`() throws {
    let socket = try Socket(inProcess: .router, in: Context())
    #expect(
      throws: ZeroMQError.endpointInvalid("inproc://zeromq.zap.01", reason: .reserved)
    ) { try socket.bind("inproc://zeromq.zap.01") }
  }

  @Test func `ends with its context`() throws {
    let context = try Context()
    let authenticator = try Authenticator(in: context, allowing: [:])
    context.shutdown()
    authenticator.stop()
  }
}

private final class RefusalLog: Sendable {
  private let refused = Mutex<[Authenticator.RefusedClient]>([])

  var all: [Authenticator.RefusedClient] { refused.withLock { $0 } }
  func append(_ client: Authenticator.RefusedClient) { refused.withLock { $0.append(client) } }
}
