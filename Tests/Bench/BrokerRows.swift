import BareBrokers
import BrokerCarrier
import Foundation
import MessageFormat
import TestSupport

/// (o): what our carrier gets through a real broker, beside that broker's own client with nothing around it: confirmed
/// messages out of a store, and acknowledged ones into another.
struct BrokerRows {
  let workspace: Workspace
  let scale: Scale

  /// What a run is made of.
  private struct Load {
    let what: String
    let letters: (Mailbox) -> [Letter]
    let bareCountMax: Int
    let goals: (publish: Double, consume: Double)
    let rate: (_ seconds: Double) -> Double
    let text: (Double) -> String
  }

  private struct Rates {
    var publish: [Double] = []
    var consume: [Double] = []
  }

  private var loads: [Load] {
    let count = scale.isShort ? 1_000 : 5_000
    let byteCount = (scale.isShort ? 32 : 256) << 20
    return [
      Load(
        what: "messages of 1 KiB",
        letters: { reader in
          (1...UInt32(count)).map { Letter($0, payloadByteCount: 1_024, for: [reader]) }
        }, bareCountMax: 1_024, goals: (0.5, 0.5), rate: { Double(count) / $0 },
        text: { number($0) + "/s" }),
      Load(
        what: "\(byteCount >> 20) MiB in chunks of 128 KiB",
        letters: { [Letter(1, payloadByteCount: byteCount, for: [$0])] }, bareCountMax: 64,
        goals: (0.6, 0.6), rate: { Double(byteCount) / $0 }, text: rate),
    ]
  }

  /// None where no broker is installed.
  func measure() throws -> [Measurement] {
    try BrokerPlace.start(in: workspace).flatMap { broker in
      try loads.flatMap { try measure(broker, $0) }
    }
  }

  private func measure(_ broker: BrokerPlace, _ load: Load) throws -> [Measurement] {
    var (ours, bare) = (Rates(), Rates())
    for run in 0..<3 {
      // In turn, so that what the machine does besides is in both.
      if run % 2 == 0 { try measureBare(broker, load, run, &bare) }
      try measureOurs(broker, load, run, &ours)
      if run % 2 == 1 { try measureBare(broker, load, run, &bare) }
    }
    func row(
      _ verb: String, _ rates: KeyPath<Rates, [Double]>, _ goal: Double
    ) -> Measurement {
      let (ours, bare) = (median(ours[keyPath: rates]), median(bare[keyPath: rates]))
      return Measurement(
        name: "(o) \(broker.name): \(load.what) \(verb), and its bare client",
        ours: load.text(ours),
        theirs: load.text(bare), ratio: ours / bare, goal: .atLeast(goal))
    }
    return [
      row("published", \.publish, load.goals.publish),
      row("consumed", \.consume, load.goals.consume),
    ]
  }

  private func measureOurs(
    _ broker: BrokerPlace, _ load: Load, _ run: Int, _ rates: inout Rates
  ) throws {
    defer { workspace.discard(["sender", "reader"]) }
    let sender = try CarrierEnd(in: workspace.path("sender"))
    let reader = try CarrierEnd(in: workspace.path("reader"))
    for end in [sender, reader] { try broker.makeQueue(of: end.mailbox) }
    let letters = load.letters(reader.mailbox)
    try sender.put(letters, for: reader.mailbox)
    workspace.settle()
    rates.publish.append(
      load.rate(
        try sender.send(letters.count, to: reader.mailbox, by: BrokerCarrier(broker.broker()))))
    workspace.settle()
    rates.consume.append(
      load.rate(
        try reader.receive(letters.count, from: sender.mailbox, by: BrokerCarrier(broker.broker())))
    )
  }

  /// The same bytes: pieces as the carrier makes them.
  private func measureBare(
    _ broker: BrokerPlace, _ load: Load, _ run: Int, _ rates: inout Rates
  ) throws {
    let mailbox = CarrierEnd.freshMailbox()
    try broker.makeQueue(of: mailbox)
    let queue = broker.bare(mailbox)
    let pieces = load.letters(mailbox).flatMap(\.pieces)
    workspace.settle()
    rates.publish.append(
      load.rate(
        seconds(
          try ContinuousClock().measure {
            try queue.publish(pieces, underWayMax: load.bareCountMax)
          })))
    workspace.settle()
    rates.consume.append(
      load.rate(seconds(try ContinuousClock().measure { try queue.consume(pieces.count) })))
  }
}

extension Letter {
  /// One that is small is one piece.
  fileprivate var pieces: [[UInt8]] {
    let groups = size.byteCount <= Limits.chunkByteCountMax ? [chunks] : chunks.map { [$0] }
    var first: UInt32 = 0
    return groups.map { group in
      defer { first += UInt32(group.count) }
      return BrokerMessage(id: id, size: size, slot: nil, first: first, chunks: group).encoded()
    }
  }
}

extension BrokerPlace {
  /// One at each broker that this machine has, started anew; the others are named on the terminal.
  static func start(in workspace: Workspace) throws -> [BrokerPlace] {
    let passwordFile = workspace.path("password")
    try workspace.write(password + "\n", to: "password", isPrivate: true)
    var all: [BrokerPlace] = []
    func add(_ absence: String?, _ make: () throws -> [BrokerPlace]) throws {
      if let absence { Bench.say("left out: \(absence)") } else { all += try make() }
    }
    try add(RabbitMQServer.absence) {
      // One server, by both of its protocols.
      let port = try FreePort.take()
      let server = try RabbitMQServer(
        "stomp.listeners.tcp.1 = 127.0.0.1:\(port)", plugins: ["rabbitmq_stomp"])
      return [
        try rabbitMQ(server, passwordFile: passwordFile),
        try stomp(
          "RabbitMQ (STOMP)", "stomp://127.0.0.1:\(port)/", server, passwordFile: passwordFile),
      ]
    }
    try add(ActiveMQServer.absence) {
      let server = try ActiveMQServer()
      return [try stomp("ActiveMQ (STOMP)", server.url, server, passwordFile: passwordFile)]
    }
    try add(NATSServer.absence) { [try nats(try NATSServer())] }
    return all
  }
}
