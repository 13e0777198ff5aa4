import ActiveMQCarrier
import Foundation
import Host
import MessageFormat
import RabbitMQ
import STOMP
import Synchronization
import TestSupport
import Testing

/// The queues of one test, at one of two brokers that speak STOMP; all tests have those two in common.
final class STOMPQueuesOfTest: BrokerOfTest {
  enum Server: Sendable {
    case activeMQ(ActiveMQServer)
    /// By its plugin, at that port.
    case rabbitMQ(RabbitMQServer, port: UInt16)
  }

  /// Started by the first test that needs one, and stopped when the process ends.
  private static let shared = Mutex<[CarrierSubject: Server]>([:])

  private static func server(_ subject: CarrierSubject) throws -> Server? {
    guard [.activeMQ, .rabbitMQByStomp].contains(subject) else { return nil }
    return try shared.withLock { servers in
      if let server = servers[subject] { return server }
      if servers.isEmpty { atexit { STOMPQueuesOfTest.shared.withLock { $0 = [:] } } }
      let started: Server
      if subject == .activeMQ {
        started = .activeMQ(try ActiveMQServer())
      } else {
        let port = try FreePort.take()
        started = .rabbitMQ(
          try RabbitMQServer(
            "stomp.listeners.tcp.1 = 127.0.0.1:\(port)", plugins: ["rabbitmq_stomp"]),
          port: port)
      }
      servers[subject] = started
      return started
    }
  }

  let server: Server
  let passwordFile: String

  /// `nil`: the subject is no broker that speaks STOMP.
  init?(_ subject: CarrierSubject, in folder: TemporaryFolder) throws {
    guard let server = try Self.server(subject) else { return nil }
    self.server = server
    passwordFile = try folder.file(ActiveMQServer.password + "\n")
  }

  var url: String {
    switch server {
    case .activeMQ(let server): server.url
    case .rabbitMQ(_, let port): "stomp://127.0.0.1:\(port)/"
    }
  }

  func plan(url: String? = nil, authorities: String? = nil) throws -> ActiveMQPlan {
    try ActiveMQPlan(
      url ?? self.url, as: .init(ActiveMQServer.user, passwordFile: passwordFile),
      authorities: authorities)
  }

  func broker() throws -> ActiveMQBroker { ActiveMQBroker(try plan()) }

  func kill() {
    switch server {
    case .activeMQ(let server): server.kill()
    case .rabbitMQ(let server, _): server.kill()
    }
  }

  /// Returns when a broker that is killed still has the queues.
  func waitForQueues() {
    if case .rabbitMQ(let server, _) = server { server.waitForQueues() }
  }

  func start() throws {
    switch server {
    case .activeMQ(let server): try server.start()
    case .rabbitMQ(let server, _): try server.start()
    }
  }

  /// Killed as it works, and started again with what it had on its disk.
  func restart() throws {
    waitForQueues()
    kill()
    try start()
  }

  /// Tests have identities in common: nothing is left of the test before.
  func renew(_ mailbox: Mailbox) throws {
    switch server {
    case .activeMQ:
      for name in [mailbox.queueName, mailbox.queueName + ".dead"] {
        while try waitingCount(in: name) > 0 { try steal(1, from: name) }
      }
    case .rabbitMQ(let server, _):
      try RabbitMQQueuesOfTest.using(server) { try $0.delete(mailbox.queueName) }
      server.noteDeclaration()
    }
  }

  func hasQueue(_ mailbox: Mailbox) throws -> Bool {
    guard case .rabbitMQ(let server, _) = server else { return true }
    return try RabbitMQQueuesOfTest.using(server) {
      try $0.waitingCount(in: mailbox.queueName) != nil
    }
  }

  func noteQueues() {
    if case .rabbitMQ(let server, _) = server { server.noteDeclaration() }
  }

  /// Of ActiveMQ, 200 at most.
  func waitingCount(in queue: String) throws -> Int {
    if case .rabbitMQ(let server, _) = server {
      return try RabbitMQQueuesOfTest.using(server) { Int(try $0.waitingCount(in: queue) ?? 0) }
    }
    return try using { line in
      try line.send([
        STOMPFrame(
          "SUBSCRIBE",
          [
            ("id", "look"), ("destination", "/queue/\(queue)"), ("ack", "client"),
            ("browser", "true"), ("activemq.prefetchSize", "1000"),
          ])
      ])
      var count = 0
      try Self.frames(of: line) { frame in
        if QueueFrames.isEndOfBrowsing(frame) { return false }
        if frame.command == "MESSAGE" { count += 1 }
        return true
      }
      return count
    }
  }

  func using<Value>(_ body: (TestLine) throws -> Value) throws -> Value {
    let line = try TestLine(STOMPAddress(url))
    defer { line.connection.close(inOrder: true) }
    return try body(line)
  }

  /// Returns when the broker has them on its disk. `headers`: more of them.
  func publish(_ messages: [[UInt8]], into queue: String, _ headers: [STOMPFrame.Header] = [])
    throws
  {
    try using { line in
      try line.publish(messages, into: queue, headers)
    }
  }

  /// Takes so many messages out of a queue, as somebody else who reads it.
  func steal(_ count: Int, from queue: String) throws {
    try using { line in
      try line.send([
        STOMPFrame(
          "SUBSCRIBE",
          [
            ("id", "steal"), ("destination", "/queue/\(queue)"), ("ack", "client-individual"),
            ("activemq.prefetchSize", "\(count)"), ("prefetch-count", "\(count)"),
          ] + line.quorum)
      ])
      var stolen = 0
      try Self.frames(of: line) { frame in
        if let id = frame["ack"] {
          try line.send([STOMPFrame("ACK", [("id", id)])])
          stolen += 1
        }
        return stolen < count
      }
    }
  }

  /// While `body` says so.
  private static func frames(
    of line: TestLine, _ body: (STOMPFrame) throws -> Bool
  ) throws {
    while try body(line.next()) {}
  }
}

/// A connection as a test uses it.
struct TestLine {
  let connection: STOMPConnection
  private let bell = Bell()

  init(_ address: STOMPAddress) throws {
    let bell = bell
    connection = try STOMPConnection(
      to: address,
      as: STOMPLogin(user: ActiveMQServer.user, password: ActiveMQServer.password),
      authorities: nil, bodyByteCountMax: 1 << 20, ring: { bell.ring() })
  }

  /// As the carrier's own queues are.
  var quorum: [STOMPFrame.Header] {
    connection.server.hasPrefix("RabbitMQ") ? [("x-queue-type", "quorum")] : []
  }

  func send(_ frames: [STOMPFrame]) throws { try connection.send(frames) }

  func next() throws -> STOMPFrame {
    let end = ContinuousClock.now + patience
    while true {
      if let frame = try connection.next() { return frame }
      try #require(end > .now)
      bell.wait(until: end)
    }
  }

  func publish(
    _ messages: [[UInt8]], into queue: String, _ headers: [STOMPFrame.Header] = []
  ) throws {
    try send(
      messages.enumerated().map { index, message in
        STOMPFrame(
          "SEND",
          [("destination", "/queue/\(queue)"), ("persistent", "true"), ("receipt", "\(index)")]
            + quorum + headers, body: message)
      })
    for _ in messages { #expect(try next().command == "RECEIPT") }
  }
}
