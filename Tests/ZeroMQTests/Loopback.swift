import CZeroMQ
import TestSupport
import Testing
import ZeroMQ

struct KeyPair {
  let publicKey: CurvePublicKey
  let secret: [UInt8]

  init() throws {
    var texts = (
      publicKey: [CChar](repeating: 0, count: 41), secret: [CChar](repeating: 0, count: 41)
    )
    try #require(unsafe zmq_curve_keypair(&texts.publicKey, &texts.secret) == 0)
    publicKey = try CurvePublicKey(try Self.decoded(texts.publicKey))
    secret = try Self.decoded(texts.secret)
  }

  private static func decoded(_ text: [CChar]) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    try #require(unsafe zmq_z85_decode(&bytes, text) != nil)
    return bytes
  }
}

/// Quick to retry, so that tests are quick.
func quickOptions() -> SocketOptions {
  var options = SocketOptions()
  options.reconnectDelay = .milliseconds(10)
  options.reconnectDelayMax = .milliseconds(50)
  options.linger = .milliseconds(100)
  return options
}

/// A server on a free port of 127.0.0.1 and the keys of one client that it allows.
struct Loopback: ~Copyable {
  let context: Context
  let serverKeys: KeyPair
  let clientKeys: KeyPair
  let authenticator: Authenticator
  let server: Socket
  let monitor: Monitor
  let endpoint: String

  init(_ options: SocketOptions = quickOptions()) throws {
    let context = try Context()
    let serverKeys = try KeyPair()
    let clientKeys = try KeyPair()
    let authenticator = try Authenticator(in: context, allowing: [clientKeys.publicKey: "alice"])
    let server = try Socket(
      server: .router, for: authenticator, secret: serverKeys.secret.span, options: options)
    let monitor = try Monitor(server)
    endpoint = try server.bind("tcp://127.0.0.1:*")
    self.monitor = monitor
    self.server = server
    self.context = context
    self.serverKeys = serverKeys
    self.clientKeys = clientKeys
    self.authenticator = authenticator
  }

  func client(
    in other: Context? = nil, keys: KeyPair? = nil, serverKey: CurvePublicKey? = nil,
    options: SocketOptions = quickOptions()
  ) throws -> sending Socket {
    let keys = keys ?? clientKeys
    return try Socket(
      client: .dealer, in: other ?? context, serverKey: serverKey ?? serverKeys.publicKey,
      publicKey: keys.publicKey, secret: keys.secret.span, options: options)
  }

  /// A message of this client's comes through, and its answer comes back.
  func requireExchange(
    with client: borrowing Socket, as userID: String = "alice", _ text: String = "hello"
  ) throws {
    let bytes = Array(text.utf8)
    try #require(try client.send([bytes], by: .after(patience)) == .sent)
    let (frames, sender) = try requireMessage(at: server)
    #expect(frames == [bytes])
    #expect(sender.userID == userID)
    try #require(try server.send([bytes, [1]], to: sender.routingID) == .sent)
    let answer = try requireMessage(at: client)
    #expect(answer.frames == [bytes, [1]])
  }
}

func requireMessage(
  at socket: borrowing Socket
) throws -> (frames: [[UInt8]], sender: Sender) {
  let received = try #require(try socket.receive(by: .after(patience)))
  guard case .message(let frames, let sender) = received else {
    throw Unexpected(what: "\(received)")
  }
  return (frames.map(\.bytes), sender)
}

/// The first event that is wanted; others are passed over.
func requireEvent(
  of monitor: borrowing Monitor, _ isWanted: (MonitorEvent.Kind) -> Bool
) throws -> MonitorEvent.Kind {
  let deadline = Deadline.after(patience)
  while let event = try monitor.next(by: deadline) {
    if isWanted(event.kind) { return event.kind }
  }
  throw Unexpected(what: "no such event")
}

func isHandshakeFailure(_ kind: MonitorEvent.Kind) -> Bool {
  if case .handshakeFailed = kind { true } else { false }
}

struct Unexpected: Error {
  let what: String
}
