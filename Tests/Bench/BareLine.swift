import Sodium
import ZeroMQ

/// A ROUTER, and DEALERs that it lets in.
final class BareLine {
  let endpoint: String
  private(set) var clients: [BareClient] = []
  private let socket: Socket
  private let authenticator: Authenticator

  private static let threadCount = 4
  /// Without traffic: whoever needed the line is gone.
  static let lifetime: Duration = .seconds(600)

  convenience init(clientCount: Int) throws {
    let identities = try (0..<clientCount).map {
      Identity(generating: try IdentityName("client\($0)"))
    }
    let server = Identity(generating: try IdentityName("server"))
    try self.init(of: server, allowing: identities.map(\.public))
    let serverKey = try CurvePublicKey(server.public.transportKey.bytes)
    let context = try Context(socketCountMax: clientCount + 1)
    clients = try identities.map {
      try BareClient($0, of: serverKey, in: context, options: Self.options)
    }
  }

  /// Without clients: they are elsewhere.
  init(of server: Identity, allowing identities: [PublicIdentity]) throws {
    let allowed = try identities.map {
      (try CurvePublicKey($0.transportKey.bytes), "\($0.name)")
    }
    // As many threads encrypt as in a relay.
    authenticator = try Authenticator(
      in: Context(threadCount: Self.threadCount),
      allowing: Dictionary(uniqueKeysWithValues: allowed))
    var made: Socket?
    try server.withTransportSecret { [authenticator] secret in
      var options = Self.options
      // As a relay: who connects asks more often.
      options.heartbeatInterval = .seconds(60)
      made = try Socket(server: .router, for: authenticator, secret: secret, options: options)
    }
    guard let socket = made.take() else { preconditionFailure("the secret was not lent") }
    endpoint = try socket.bind("tcp://127.0.0.1:*")
    self.socket = socket
  }

  func stop() { authenticator.stop() }

  static var options: SocketOptions {
    var options = SocketOptions()
    options.linger = .seconds(10)
    return options
  }

  func receive() throws -> Bool {
    if case .message = try socket.receive(by: .after(.seconds(10))) { true } else { false }
  }

  func nextSender() throws -> [UInt8] {
    guard case .message(_, let sender) = try socket.receive(by: .after(.seconds(10))) else {
      throw ProgramFailure(description: "CurveZMQ: a client says nothing")
    }
    return sender.routingID
  }

  /// Returns the next message to whoever sent it; `false`: none has come for long.
  func echo() throws -> Bool {
    guard case .message(let frames, let sender) = try socket.receive(by: .after(Self.lifetime))
    else { return false }
    _ = try socket.send(frames, to: sender.routingID)
    return true
  }

  /// To each in turn, as their queues have room.
  func send(_ count: Int, of byteCount: Int, to routes: [[UInt8]]) throws {
    let frames = [
      Frame(copying: [UInt8](repeating: 1, count: 40)),
      Frame(copying: [UInt8](repeating: 7, count: byteCount)),
    ]
    var left = routes.map { _ in count }
    var poller = Poller()
    while left.contains(where: { $0 > 0 }) {
      var hasSent = false
      for (index, route) in routes.enumerated() where left[index] > 0 {
        while left[index] > 0, try socket.send(frames, to: route) == .sent {
          left[index] -= 1
          hasSent = true
        }
      }
      if !hasSent { try poller.wait(until: .after(.milliseconds(1))) }
    }
  }
}

final class BareClient: @unchecked Sendable {
  // Lent to one thread at a time.
  let socket: Socket

  init(
    _ identity: Identity, of server: CurvePublicKey, in context: Context, options: SocketOptions
  ) throws {
    let key = try CurvePublicKey(identity.public.transportKey.bytes)
    var made: Socket?
    try identity.withTransportSecret { secret in
      made = try Socket(
        client: .dealer, in: context, serverKey: server, publicKey: key, secret: secret,
        options: options)
    }
    guard let socket = made.take() else { preconditionFailure("the secret was not lent") }
    self.socket = socket
  }

  func sayHello(to endpoint: String) throws {
    try socket.connect(endpoint)
    guard try socket.send([[1]], by: .after(.seconds(10))) == .sent else {
      throw ProgramFailure(description: "CurveZMQ: nobody takes what is sent")
    }
  }

  func send(_ count: Int, of byteCount: Int, to endpoint: String) throws {
    try sayHello(to: endpoint)
    let header = [UInt8](repeating: 1, count: 40)
    let content = [UInt8](repeating: 7, count: byteCount)
    for _ in 0..<count {
      guard try socket.send([header, content], by: .after(.seconds(10))) == .sent else {
        throw ProgramFailure(description: "CurveZMQ: nobody takes what is sent")
      }
    }
  }
}
