import Foundation
import MessageFormat
import TestSupport
import ZeroMQ

/// (i): connections that wait for mail, and cost memory and now and then a little time.
struct IdleRow {
  let workspace: Workspace
  let scale: Scale

  private static let groupCount = 20

  func measure() throws -> Measurement {
    try DescriptorLimit.raise()
    let count = scale.isShort ? 1_000 : 10_000
    let watch: Double = scale.isShort ? 5 : 60
    let relay = try RelayProgram(
      in: workspace, signers: ["signer"], appliers: ["reader"], host: "0.0.0.0")
    defer { workspace.discard(["relay"]) }
    guard let port = relay.appliersEndpoint.split(separator: ":").last else {
      throw ProgramFailure(description: "no port in \(relay.appliersEndpoint)")
    }
    let before = try relay.memory
    let context = try Context()
    let start = ContinuousClock.now
    let visitors = try (0..<Self.groupCount).map {
      try connect(count / Self.groupCount, group: $0, port, relay, context)
    }
    let connected = seconds(ContinuousClock.now - start)
    Thread.sleep(forTimeInterval: 2)
    let time = try relay.processorTime
    Thread.sleep(forTimeInterval: watch)
    let share = (try relay.processorTime - time) / watch
    let each = Double(try relay.memory - before) / Double(count)
    withExtendedLifetime(visitors) {}
    return Measurement(
      name: "(i) relay: \(count) connections that wait: share of a core, and all of one",
      ours: number(share), theirs: "1", ratio: share, goal: .atMost(0.1),
      notes: [
        "\(number(each / 1_024)) KiB of memory each; all connected within \(number(connected)) s"
      ])
  }

  /// libzmq connects once to each address, and the loopback has many.
  private func connect(
    _ count: Int, group: Int, _ port: Substring, _ relay: RelayProgram, _ context: Context
  ) throws -> CarrierVisitor {
    let visitor = try relay.applier(
      "reader", at: "tcp://127.1.\(group).1:\(port)", in: context)
    for number in 1..<count {
      let (third, last) = (group + Self.groupCount * (number / 250), number % 250 + 1)
      try visitor.socket.connect("tcp://127.1.\(third).\(last):\(port)")
    }
    try visitor.awaitHandshakes(count)
    for _ in 0..<count {
      try visitor.send(.collect(after: 0, credit: 32, waitMilliseconds: 60_000))
    }
    return visitor
  }
}
