import CarrierProtocol
import InProcessCarrier
import MessageFormat
import TestSupport

/// A broker in place of the relay: what is put into it lies there, whatever becomes of its ends.
final class BrokerHost: Middle {
  /// Each is on for a while, until another one takes its place.
  private static let misbehaviours:
    [(name: String, faults: @Sendable (inout InProcessFaults) -> Void)] = [
      ("none", { _ in }), ("none", { _ in }),
      ("brings messages twice", { $0.duplicate = 0.5 }),
      ("brings later messages first", { $0.reorder = 0.5 }),
      ("loses messages", { $0.drop = 0.2 }),
      ("brings old messages again", { $0.replay = 0.05 }),
      ("forgets acknowledgements", { $0.loseAcknowledgement = 0.2 }),
      ("breaks connections", { $0.cut = 0.1 }),
      ("takes up to 5 s", { $0.delay = .zero ... .seconds(5) }),
      ("takes up to 10 min", { $0.delay = .zero ... .seconds(600) }),
      ("has tight quotas", { $0.mailboxByteCountMax = 100_000 }),
    ]

  let name = "broker"
  let clock: HostClock
  var isRunning = true
  var writeLimit: UInt64?
  var swallows: ((Mailbox, Mailbox) -> Bool)?
  private(set) var broker: InProcessBroker
  private(set) var faults = InProcessFaults.none
  private let seed: UInt64
  private var lines: [BrokerLine] = []
  private var generation: UInt64 = 0

  init(seed: UInt64, clock: HostClock) {
    (self.seed, self.clock) = (seed, clock)
    broker = Self.broker(seed, clock)
  }

  private static func broker(_ seed: UInt64, _ clock: HostClock) -> InProcessBroker {
    InProcessBroker(seed: seed, now: { clock.instant })
  }

  func line(_ name: String, _ port: CarrierPort, trace: @escaping (String) -> Void) -> any Line {
    let line = BrokerLine(name, port, to: self, trace: trace)
    lines.append(line)
    return line
  }

  func waitingCount(for mailbox: Mailbox) -> Int { broker.waitingCount(for: mailbox) }

  func restart(isOrderly: Bool) throws {
    for line in lines { line.disconnect() }
    isRunning = true
  }

  /// Everything that moves is moved by its ends.
  func turn() throws -> Bool { false }

  var nextTurn: UInt64? { broker.nextArrival.map { clock.world.milliseconds(of: $0) } }

  func misbehave(using random: inout SeededGenerator) throws -> String? {
    if Int.random(in: 0..<30, using: &random) == 0 {
      generation += 1
      broker = Self.broker(seed &+ generation, clock)
      broker.behave(faults)
      for line in lines { try line.connectAnew() }
      return "all that waited is lost"
    }
    guard let chosen = Self.misbehaviours.randomElement(using: &random) else { return nil }
    faults = .none
    chosen.faults(&faults)
    broker.behave(faults)
    return chosen.name
  }

  func calm() {
    faults = .none
    broker.behave(faults)
  }
}

/// One machine's end of the broker.
final class BrokerLine: Line {
  private static let turnCountMax = 256

  let name: String
  var isUp = true
  var writeLimit: UInt64?
  private let host: BrokerHost
  private let trace: (String) -> Void
  private var port: CarrierPort
  private var traffic: InProcessTraffic
  private var fault: CarrierError?

  init(
    _ name: String, _ port: CarrierPort, to host: BrokerHost, trace: @escaping (String) -> Void
  ) {
    (self.name, self.host, self.trace, self.port) = (name, host, trace, port)
    traffic = InProcessEnd(of: host.broker).traffic(port)
    watch()
  }

  private func watch() {
    nonisolated(unsafe) let line = self
    port.stateChanged = { state in
      if case .failed(let error) = state { line.fault = error }
    }
    traffic = InProcessEnd(of: host.broker).traffic(port)
  }

  func replace(_ port: CarrierPort, isOrderly: Bool) throws {
    if isOrderly { traffic.end() }
    self.port = port
    watch()
  }

  /// The same process at another broker.
  func connectAnew() throws { watch() }

  func disconnect() {
    var down = host.faults
    down.isDown = true
    host.broker.behave(down)
    _ = traffic.step()
    host.broker.behave(host.faults)
    fault = nil
  }

  func outgoingChanged() {}

  var nextTurn: UInt64? {
    guard isUp, host.isRunning else { return nil }
    return traffic.nextAttempt.map { host.clock.world.milliseconds(of: $0) }
  }

  func turn() throws -> Bool {
    guard isUp, host.isRunning else { return false }
    var count = 0
    while count < Self.turnCountMax, WriteLimit.during(byteCount: writeLimit, { traffic.step() }) {
      count += 1
    }
    if let fault {
      self.fault = nil
      trace("\(name): the line breaks: \(fault)")
      if case .faulty = fault, writeLimit == nil {
        throw Violation("a role failed by itself", "\(name): \(fault)")
      }
    }
    return count > 0
  }

  func disturb(using random: inout SeededGenerator) -> String {
    disconnect()
    return "is cut"
  }

  func calm() { isUp = true }
}
