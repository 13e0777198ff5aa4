import Foundation
import Host
import MessageFormat
import Sodium
import TestSupport
import ZeroMQ

/// What `distro-bench` is when it is started by row (i): many clients, until it is told to stop.
struct IdleClients {
  enum Occupation: String {
    /// A long poll at a relay, and another one whenever it has ended.
    case collect
    /// Nothing but what libzmq does by itself, once a server has returned what it was sent.
    case nothing
  }

  static let mode = "idle-clients"
  static let ready = "ready"
  /// As many shake hands at once: thousands would run into the time that a handshake may take.
  private static let groupCount = 100
  private static let patience: Duration = .seconds(90)

  static func name(_ number: Int) -> String { "idle\(number)" }

  private let occupation: Occupation
  private let clients: [BareClient]

  /// Occupation, endpoint, number of the first, count.
  init(_ arguments: [String]) throws {
    guard arguments.count == 4, let occupation = Occupation(rawValue: arguments[0]),
      let first = Int(arguments[2]), let count = Int(arguments[3])
    else { throw ProgramFailure(description: "\(Self.mode): \(arguments)") }
    self.occupation = occupation
    try DescriptorLimit.raise()
    let context = try Context(socketCountMax: count + 1)
    let server = try TestIdentity.make(RelayProgram.name).public
    let serverKey = try CurvePublicKey(server.transportKey.bytes)
    let greeting = CarrierRequest.collect(after: 0, credit: 1, waitMilliseconds: 0).encoded()
    var clients: [BareClient] = []
    while clients.count < count {
      let group = try (clients.count..<min(count, clients.count + Self.groupCount)).map {
        try BareClient(
          try TestIdentity.make(Self.name(first + $0)), of: serverKey, in: context,
          options: BareLine.options)
      }
      for client in group { try client.socket.connect(arguments[1]) }
      for client in group { try Self.send(greeting, over: client) }
      for client in group { _ = try Self.answer(to: client) }
      clients += group
    }
    self.clients = clients
  }

  /// Ends with an error, or when it has done nothing for long.
  func run() throws {
    let poll = CarrierRequest.collect(
      after: 0, credit: Limits.creditMax, waitMilliseconds: Limits.collectWaitMillisecondsMax
    ).encoded()
    if occupation == .collect { for client in clients { try Self.send(poll, over: client) } }
    Bench.tell(Self.ready)
    guard occupation == .collect else {
      // Nobody sends anything; the process is ended by who started it, or ends a while after that was killed.
      _ = try clients[0].socket.receive(by: .after(BareLine.lifetime))
      return
    }
    while true {
      // They end in the order in which they began.
      for client in clients {
        guard case .empty = try CarrierReply(decoding: Self.answer(to: client)) else {
          throw ProgramFailure(description: "a mailbox is not empty")
        }
        try Self.send(poll, over: client)
      }
    }
  }

  private static func send(_ bytes: [UInt8], over client: BareClient) throws {
    guard try client.socket.send([bytes], by: .after(patience)) == .sent else {
      throw ProgramFailure(description: "a connection does not come about")
    }
  }

  private static func answer(to client: BareClient) throws -> [UInt8] {
    guard case .message(let frames, _) = try client.socket.receive(by: .after(patience)) else {
      throw ProgramFailure(description: "no answer")
    }
    return frames[0].bytes
  }
}

/// The other end of them: a ROUTER that returns what it gets.
struct BareRouter {
  static let mode = "bare-router"

  private let line: BareLine

  /// How many clients there will be.
  init(_ arguments: [String]) throws {
    guard arguments.count == 1, let count = Int(arguments[0]) else {
      throw ProgramFailure(description: "\(Self.mode): \(arguments)")
    }
    try DescriptorLimit.raise()
    line = try BareLine(
      of: try TestIdentity.make(RelayProgram.name),
      allowing: try (0..<count).map { try TestIdentity.make(IdleClients.name($0)).public })
  }

  /// Ends with an error, or when nothing has come for long.
  func run() throws {
    Bench.tell(line.endpoint)
    while try line.echo() {}
  }
}
