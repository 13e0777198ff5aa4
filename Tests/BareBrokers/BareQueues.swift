import Host
import MessageFormat
import NATS
import NATSCarrier
import RabbitMQ
import STOMP
import TestSupport
import Threads

/// A queue as a broker's client alone uses it: nothing but its bytes, durable, each acknowledged.
package protocol BareQueue {
  /// Returns when the broker has confirmed all; `underWayMax` without a confirm at a time.
  func publish(_ messages: [[UInt8]], underWayMax: Int) throws

  /// Returns when so many have come, and each is acknowledged.
  func consume(_ count: Int) throws
}

package struct BareFailure: Error, CustomStringConvertible {
  package let description: String
}

extension BareQueue {
  fileprivate static var prefetch: UInt16 { 256 }

  fileprivate static func late() -> BareFailure {
    BareFailure(description: "the broker says nothing")
  }

  fileprivate static var end: ContinuousClock.Instant { .now + .seconds(60) }
}

struct BareRabbitMQ: BareQueue {
  let address: RabbitMQAddress
  let queue: String

  private func connect() throws -> RabbitMQConnection {
    try RabbitMQConnection(
      to: address, at: address.nodes[0], password: RabbitMQServer.password, authorities: nil,
      byteCountMax: 1 << 20)
  }

  func publish(_ messages: [[UInt8]], underWayMax: Int) throws {
    let (line, wakeUp) = (try connect(), try WakeUp())
    defer { line.close(inOrder: true) }
    try line.beginPublishing()
    var (sent, confirmed, single) = (0, 0, 0)
    while confirmed + single < messages.count {
      while sent < messages.count, sent - confirmed - single < underWayMax {
        try line.publish(messages[sent], to: queue)
        sent += 1
      }
      guard let event = try line.next(until: Self.end, unless: wakeUp) else { throw Self.late() }
      guard case .confirmed(let number, let includesEarlier) = event else {
        throw BareFailure(description: "RabbitMQ: \(event)")
      }
      // A single one is counted until all up to it are confirmed.
      if includesEarlier { (confirmed, single) = (Int(number), 0) } else { single += 1 }
    }
  }

  func consume(_ count: Int) throws {
    let (line, wakeUp) = (try connect(), try WakeUp())
    // Returns when the broker has heard all acknowledgements.
    defer { line.close(inOrder: true) }
    try line.consume(queue, prefetch: Self.prefetch)
    var taken = 0
    while taken < count {
      guard let event = try line.next(until: Self.end, unless: wakeUp) else { throw Self.late() }
      guard case .delivery(let tag, _) = event else { continue }
      try line.acknowledge(tag)
      taken += 1
    }
  }
}

struct BareSTOMP: BareQueue {
  let address: STOMPAddress
  let mailbox: Mailbox

  private func connect(_ bell: Bell) throws -> STOMPConnection {
    try STOMPConnection(
      to: address,
      as: STOMPLogin(user: ActiveMQServer.user, password: ActiveMQServer.password),
      authorities: nil, bodyByteCountMax: 1 << 20, ring: { bell.ring() })
  }

  private func next(_ line: STOMPConnection, _ bell: Bell) throws -> STOMPFrame {
    let end = Self.end
    while true {
      if let frame = try line.next() { return frame }
      guard end > .now else { throw Self.late() }
      bell.wait(until: end)
    }
  }

  private var destination: STOMPFrame.Header { ("destination", "/queue/\(mailbox.queueName)") }

  private func quorum(_ line: STOMPConnection) -> [STOMPFrame.Header] {
    line.server.hasPrefix("RabbitMQ") ? [("x-queue-type", "quorum")] : []
  }

  func publish(_ messages: [[UInt8]], underWayMax: Int) throws {
    let bell = Bell()
    let line = try connect(bell)
    defer { line.close(inOrder: true) }
    let headers = [destination, ("persistent", "true")] + quorum(line)
    var (sent, confirmed) = (0, 0)
    while confirmed < messages.count {
      while sent < messages.count, sent - confirmed < underWayMax {
        try line.send([
          STOMPFrame("SEND", headers + [("receipt", "\(sent)")], body: messages[sent])
        ])
        sent += 1
      }
      let frame = try next(line, bell)
      guard frame.command == "RECEIPT" else {
        throw BareFailure(description: "STOMP: \(frame.complaint)")
      }
      confirmed += 1
    }
  }

  func consume(_ count: Int) throws {
    let bell = Bell()
    let line = try connect(bell)
    defer { line.close(inOrder: true) }
    try line.send([
      STOMPFrame(
        "SUBSCRIBE",
        [
          ("id", "bare"), destination, ("ack", "client-individual"),
          ("activemq.prefetchSize", "\(Self.prefetch)"), ("prefetch-count", "\(Self.prefetch)"),
        ] + quorum(line))
    ])
    for _ in 0..<count {
      guard let id = try next(line, bell)["ack"] else {
        throw BareFailure(description: "STOMP: something else than a message")
      }
      try line.send([STOMPFrame("ACK", [("id", id)])])
    }
  }
}

struct BareNATS: BareQueue {
  let address: NATSAddress
  let mailbox: Mailbox

  private static let patience: Duration = .seconds(60)

  private func connect() throws -> NATSConnection {
    try NATSConnection(
      to: address, .none, authorities: nil, inbox: "_INBOX.bare", byteCountMax: 1 << 20,
      NATSEvents())
  }

  func publish(_ messages: [[UInt8]], underWayMax: Int) throws {
    let line = try connect()
    defer { line.close(inOrder: true) }
    let stream = NATSNames.stream(of: mailbox)
    // A stream keeps one message a subject, and one a name.
    let run = String(UInt64.random(in: .min ... .max), radix: 36)
    var (sent, confirmed) = (0, 0)
    while confirmed < messages.count {
      while sent < messages.count, sent - confirmed < underWayMax {
        try line.publish(
          messages[sent], to: "distro.\(mailbox.hex).\(run).\(sent)", of: stream,
          named: "\(run).\(sent)", as: UInt64(sent + 1), patience: Self.patience)
        sent += 1
      }
      guard let event = line.next(until: Self.end) else { throw Self.late() }
      guard case .confirmed = event else { throw BareFailure(description: "NATS: \(event)") }
      confirmed += 1
    }
  }

  /// By the consumer that the stream's reader has made, with its window.
  func consume(_ count: Int) throws {
    let line = try connect()
    defer { line.close(inOrder: true) }
    let inbox = "_INBOX.bare.mail"
    try line.listen(at: inbox)
    let subject =
      "$JS.API.CONSUMER.MSG.NEXT.\(NATSNames.stream(of: mailbox)).\(NATSNames.consumer)"
    try line.ask("\(count)", at: subject, answerTo: inbox)
    var taken = 0
    while taken < count {
      guard let event = line.next(until: Self.end) else { throw Self.late() }
      guard case .delivery(let delivery) = event else { continue }
      try line.say("+ACK", at: delivery.reply)
      taken += 1
    }
    try line.flush()
  }
}
