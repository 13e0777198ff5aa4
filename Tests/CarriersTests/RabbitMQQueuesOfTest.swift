import Foundation
import Host
import MessageFormat
import RabbitMQ
import RabbitMQCarrier
import Synchronization
import TestSupport
import Testing
import Threads

/// The queues of one test, at the one broker of all of these tests.
final class RabbitMQQueuesOfTest: BrokerOfTest {
  /// Started by the first test that needs it, and stopped when the process ends.
  private static let shared = Mutex<RabbitMQServer?>(nil)

  static func server() throws -> RabbitMQServer {
    try shared.withLock { server in
      if let server { return server }
      let started = try RabbitMQServer()
      server = started
      atexit { RabbitMQQueuesOfTest.shared.withLock { $0 = nil } }
      return started
    }
  }

  let server: RabbitMQServer
  let passwordFile: String

  init(in folder: TemporaryFolder) throws {
    server = try Self.server()
    passwordFile = try folder.file(RabbitMQServer.password + "\n")
  }

  func broker() throws -> RabbitMQBroker { try broker(url: server.url) }

  func broker(url: String, authorities: String? = nil) throws -> RabbitMQBroker {
    try RabbitMQBroker(
      RabbitMQPlan(url, passwordFile: passwordFile, authorities: authorities))
  }

  /// Killed as it works, and started again with what it had on its disk.
  func restart() throws {
    server.waitForQueues()
    server.kill()
    try server.start()
  }

  /// Tests have identities in common: nothing is left of the test before.
  func renew(_ mailbox: Mailbox) throws {
    try using { line in
      for name in [mailbox.queueName, mailbox.deadQueueName] { try line.delete(name) }
      try line.declareDead(mailbox.deadQueueName)
      try line.declare(mailbox.queueName, deadName: mailbox.deadQueueName)
    }
    server.noteDeclaration()
  }

  func using<Value>(_ body: (RabbitMQConnection) throws -> Value) throws -> Value {
    try Self.using(server, body)
  }

  static func using<Value>(
    _ server: RabbitMQServer, _ body: (RabbitMQConnection) throws -> Value
  ) throws -> Value {
    let address = try RabbitMQAddress(server.url)
    let line = try RabbitMQConnection(
      to: address, at: address.nodes[0], password: RabbitMQServer.password, authorities: nil,
      byteCountMax: 1 << 20)
    defer { line.close(inOrder: true) }
    return try body(line)
  }

  func waitingCount(in queue: String) throws -> UInt32 {
    try using { try #require(try $0.waitingCount(in: queue)) }
  }

  /// Returns when the broker has them on its disk.
  func publish(_ messages: [[UInt8]], into queue: String) throws {
    try using { line in
      try line.beginPublishing()
      for message in messages { try line.publish(message, to: queue) }
      var count = 0
      try Self.events(of: line) { event in
        if case .confirmed(let last, let includesEarlier) = event {
          count = includesEarlier ? Int(last) : count + 1
        }
        return count < messages.count
      }
    }
  }

  /// Takes so many messages out of a queue, as somebody else who reads it.
  func steal(_ count: Int, from queue: String) throws {
    try using { line in
      try line.consume(queue, prefetch: UInt16(count))
      var stolen = 0
      try Self.events(of: line) { event in
        if case .delivery(let tag, _) = event {
          try line.acknowledge(tag)
          stolen += 1
        }
        return stolen < count
      }
    }
  }

  /// While `body` says so.
  private static func events(
    of line: RabbitMQConnection, _ body: (RabbitMQConnection.Event) throws -> Bool
  ) throws {
    let (wakeUp, end) = (try WakeUp(), ContinuousClock.now + patience)
    while true {
      guard let event = try line.next(until: end, unless: wakeUp) else {
        try #require(end > .now)
        continue
      }
      guard try body(event) else { return }
    }
  }
}
