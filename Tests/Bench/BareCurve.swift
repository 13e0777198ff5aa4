import MessageFormat
import Sodium
import ZeroMQ

/// What CurveZMQ carries on this machine when nothing else happens: frames from one thread to another over loopback.
struct BareCurve {
  let frameByteCount: Int

  func bytesPerSecond(byteCount: Int) throws -> Double {
    let count = byteCount / frameByteCount
    return try framesPerSecond(count: count) * Double(frameByteCount)
  }

  /// Each with a small frame before it, as chunks have.
  func framesPerSecond(count: Int) throws -> Double {
    let line = try BareLine(clientNames: ["client"])
    defer { line.stop() }
    let (sender, endpoint, size) = (line.clients[0], line.endpoint, frameByteCount)
    let failures = Failures()
    let thread = try SocketThread {
      failures.note { try sender.send(count, of: size, to: endpoint) }
    }
    defer { thread.join() }
    _ = try line.receive()
    let start = ContinuousClock.now
    for _ in 0..<count {
      guard try line.receive() else {
        try failures.rethrow()
        throw ProgramFailure(description: "CurveZMQ: a frame does not come")
      }
    }
    return Double(count) / seconds(ContinuousClock.now - start)
  }
}

/// The same from one ROUTER to many DEALERs.
struct BareFanOut {
  let clientCount: Int
  let byteCount: Int

  private static let threadCount = 4

  func measure() throws -> Double {
    let line = try BareLine(clientNames: (0..<clientCount).map { "client\($0)" })
    defer { line.stop() }
    for client in line.clients { try client.sayHello(to: line.endpoint) }
    let routes = try (0..<clientCount).map { _ in try line.nextSender() }
    let chunkCount = (byteCount + Limits.chunkByteCountMax - 1) / Limits.chunkByteCountMax
    let failures = Failures()
    let start = ContinuousClock.now
    let threads = try (0..<Self.threadCount).map { number in
      let share = line.clients.enumerated().filter { $0.offset % Self.threadCount == number }
        .map(\.element)
      return try SocketThread { failures.note { try Self.receive(chunkCount, at: share) } }
    }
    try line.send(chunkCount, of: Limits.chunkByteCountMax, to: routes)
    for thread in threads { thread.join() }
    let elapsed = seconds(ContinuousClock.now - start)
    try failures.rethrow()
    return elapsed
  }

  private static func receive(_ count: Int, at clients: [BareClient]) throws {
    var poller = Poller()
    for client in clients { _ = poller.add(client.socket, for: .reading) }
    var left = clients.map { _ in count }
    while left.contains(where: { $0 > 0 }) {
      guard try poller.wait(until: .after(.seconds(60))) else {
        throw ProgramFailure(description: "CurveZMQ: a frame does not come")
      }
      for (index, client) in clients.enumerated() {
        while case .message = try client.socket.receive() { left[index] -= 1 }
      }
    }
  }
}

/// A ROUTER, and DEALERs that it lets in.
final class BareLine {
  let endpoint: String
  let clients: [BareClient]
  private let socket: Socket
  private let authenticator: Authenticator

  init(clientNames: [String]) throws {
    let server = Identity(generating: try IdentityName("server"))
    let identities = try clientNames.map { Identity(generating: try IdentityName($0)) }
    let keys = try identities.map { try CurvePublicKey($0.public.transportKey.bytes) }
    let authenticator = try Authenticator(
      in: Context(),
      allowing: Dictionary(uniqueKeysWithValues: zip(keys, clientNames)))
    self.authenticator = authenticator
    var made: Socket?
    try server.withTransportSecret { secret in
      made = try Socket(server: .router, for: authenticator, secret: secret, options: Self.options)
    }
    guard let socket = made.take() else { preconditionFailure("the secret was not lent") }
    endpoint = try socket.bind("tcp://127.0.0.1:*")
    self.socket = socket
    let serverKey = try CurvePublicKey(server.public.transportKey.bytes)
    let context = try Context(socketCountMax: 1_000)
    clients = try zip(identities, keys).map { identity, key in
      try BareClient(identity, key, of: serverKey, in: context, options: Self.options)
    }
  }

  func stop() { authenticator.stop() }

  private static var options: SocketOptions {
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
    _ identity: Identity, _ key: CurvePublicKey, of server: CurvePublicKey, in context: Context,
    options: SocketOptions
  ) throws {
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
