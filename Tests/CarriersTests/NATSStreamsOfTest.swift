import Foundation
import Host
import MessageFormat
import NATS
import NATSCarrier
import Synchronization
import TestSupport
import Testing

/// The streams of one test, at the one server of all of these tests or at servers of its own.
final class NATSStreamsOfTest: BrokerOfTest {
  /// Started by the first test that needs it, and stopped when the process ends.
  private static let shared = Mutex<NATSServer?>(nil)

  static func server() throws -> NATSServer {
    try shared.withLock { server in
      if let server { return server }
      let started = try NATSServer()
      server = started
      atexit { NATSStreamsOfTest.shared.withLock { $0 = nil } }
      return started
    }
  }

  let servers: [NATSServer]
  var login = NATSPlan.Login.none

  init(_ servers: [NATSServer]? = nil) throws {
    self.servers = try servers ?? [Self.server()]
  }

  func plan(authorities: String? = nil) throws -> NATSPlan {
    try NATSPlan(
      servers.map { try NATSAddress($0.url) }, login, authorities: authorities,
      replicas: servers.count)
  }

  func broker() throws -> NATSBroker { try NATSBroker(plan()) }

  /// Killed as it works, and started again with what it had on its disk.
  func restart() throws {
    for server in servers {
      server.kill()
      try server.start()
    }
  }

  /// Tests have identities in common: nothing is left of the test before.
  func renew(_ mailbox: Mailbox) throws {
    try using { line in
      if try line.stream(NATSNames.stream(of: mailbox)) != nil {
        try line.deleteStream(NATSNames.stream(of: mailbox))
      }
      try line.make(try broker().stream(of: mailbox))
    }
  }

  /// As somebody who may do everything.
  func using<Value>(_ body: (NATSConnection) throws -> Value) throws -> Value {
    let line = try NATSConnection(
      to: NATSAddress(servers[0].url), .none, authorities: nil, inbox: "_INBOX.test",
      byteCountMax: 1 << 20, NATSEvents())
    defer { line.close(inOrder: true) }
    return try body(line)
  }

  func waitingCount(of mailbox: Mailbox) throws -> Int {
    try using { Int(try #require(try $0.stream(NATSNames.stream(of: mailbox))).messageCount) }
  }

  func limit(_ mailbox: Mailbox, messageCountMax: Int?) throws {
    var stream = try broker().stream(of: mailbox)
    stream.messageCountMax = messageCountMax
    try using { try $0.change(stream) }
  }

  /// Returns when the server has them.
  func publish(_ messages: [[UInt8]], into mailbox: Mailbox) throws {
    try using { line in
      for (number, message) in messages.enumerated() {
        try line.publish(
          message, to: "distro.\(mailbox.hex).stranger.\(number)",
          of: NATSNames.stream(of: mailbox), named: "\(number)", as: UInt64(number + 1),
          patience: patience)
      }
      var count = 0
      while count < messages.count {
        guard case .confirmed? = line.next(until: .now + patience) else {
          throw NATSError.line(reason: "no confirm")
        }
        count += 1
      }
    }
  }

  /// Takes so many messages out of a stream, as somebody else who reads it.
  func steal(_ count: Int, from mailbox: Mailbox) throws {
    let (stream, reader) = (NATSNames.stream(of: mailbox), NATSNames.consumer)
    try using { line in
      try line.makeConsumer(reader, of: stream, windowMax: count, patience: patience)
      try line.listen(at: "_INBOX.test.steal")
      try line.ask(
        "\(count)", at: "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(reader)",
        answerTo: "_INBOX.test.steal")
      var stolen = 0
      while stolen < count {
        guard case .delivery(let delivery)? = line.next(until: .now + patience) else {
          throw NATSError.line(reason: "no delivery")
        }
        try line.say("+ACK", at: delivery.reply)
        stolen += 1
      }
      try line.flush()
      try line.deleteConsumer(reader, of: stream)
    }
  }
}
