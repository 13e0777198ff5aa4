import CarrierProtocol
import Foundation
import Host
import Mailboxes
import MessageFormat
import Signer
import Sodium
import TestSupport
import Testing
import ZeroMQCarrier

/// A fleet whose signer and machines are both clients of a relay that misbehaves, over real sockets.
final class HostileFleet {
  /// In real time; for signer and machines each is a minute.
  private static let beatInterval = Duration.milliseconds(300)
  /// The same where heartbeats are to be answered before they have expired, however slow this machine is.
  private static let answerPatience = Duration.milliseconds(1_500)

  let fleet: TestFleet
  let relay: HostileRelay
  let signerLog = TestLog()
  private let delivery: Delivery
  private var carriers: [CarrierSet] = []
  /// Messages that one answer of the relay has made a machine keep.
  let largestBatch = Remembered(0)
  private let bell = Bell()
  /// Of the last minute, in both times.
  private var beat = (at: ContinuousClock.now - beatInterval, time: Timestamp(milliseconds: 0))

  private static var lineTimes: ExchangeTimeouts {
    var timeouts = ExchangeTimeouts()
    (timeouts.mail, timeouts.delay) = (.milliseconds(200), .milliseconds(1_500))
    (timeouts.answer, timeouts.progress) = (.milliseconds(500), .milliseconds(1_500))
    timeouts.pauses = (.milliseconds(20), .milliseconds(100))
    return timeouts
  }

  /// With one commit that everyone has, and connections on which nothing has gone wrong yet.
  init(_ names: [String] = ["web1"], inboxMax: InboxLimit = InboxLimit()) throws {
    let fleet = try TestFleet.started(names)
    self.fleet = fleet
    let clock = fleet.clock
    let relay = try HostileRelay(
      signer: fleet.signer, appliers: fleet.machines.map(\.identity),
      state: fleet.folder.path("relay")
    ) { clock.now }
    self.relay = relay
    let bell = bell
    let settings = try SignerSettings(
      identity: fleet.signer, state: fleet.settings.state,
      carriers: [ZeroMQPlan(connectingTo: relay.endpoint, of: relay.identity.public)],
      repositories: [fleet.configured], lifetimeMilliseconds: 86_400_000)
    delivery = Delivery(
      settings, outbox: fleet.outbox, progress: .init { _, _, _ in }, log: signerLog.logger,
      now: { clock.now }, timeouts: Self.lineTimes
    ) { bell.ring() }
    try delivery.start(for: Set(fleet.machines.map(\.mailbox)))
    carriers = try fleet.machines.map { try carriers(of: $0, inboxMax) }
    try settle()
    #expect(try fleet.machine().standing == .current)
  }

  deinit {
    delivery.stop()
    for set in carriers { set.stop() }
  }

  private func carriers(of machine: TestMachine, _ inboxMax: InboxLimit) throws -> CarrierSet {
    let (store, clock, bell, largest) = (machine.store, fleet.clock, bell, largestBatch)
    var port = CarrierPort(
      mailbox: machine.mailbox, correspondents: [fleet.signer.public.mailbox], store: store,
      byteCountMax: 1 << 30, inboxMax: inboxMax, log: machine.log.logger, now: { clock.now })
    port.accept = { messages in
      let count = messages.count
      largest.change { $0 = max($0, count) }
      try store.commit(messages, at: clock.now)
      bell.ring()
    }
    let carrier = try ZeroMQExchange(
      to: relay.endpoint, of: relay.identity.public, as: machine.identity,
      timeouts: Self.lineTimes)
    let set = CarrierSet()
    try set.start(carrier, port) { error in preconditionFailure("\(error)") }
    return set
  }

  var machine: TestMachine { fleet.machines[0] }

  /// A commit, and its message in the outbox.
  func push(_ text: String = UUID().uuidString, file: String = "a") throws {
    try fleet.source.commit([file: text + "\n"])
    try fleet.send()
    delivery.outboxChanged()
  }

  /// The same, and minutes wait for answers, until all is well.
  func settle(sourceLocation: SourceLocation = #_sourceLocation) throws {
    // What was said before may have been lost, and is not waited for.
    beat.time = Timestamp(milliseconds: 0)
    try run(waitsForAnswers: true, until: isSettled, sourceLocation: sourceLocation)
  }

  /// Everyone does their part, and minutes pass, until it comes to that.
  func run(
    isWorking: Bool = true, waitsForAnswers: Bool = false, until condition: () throws -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let end = ContinuousClock.now + patience
    repeat {
      if try isMinuteOver(waitsForAnswers) {
        fleet.clock.advance(seconds: 61)
        beat = (.now, fleet.clock.now)
      }
      try fleet.step()
      delivery.outboxChanged()
      for (machine, set) in zip(fleet.machines, carriers) {
        if isWorking { try machine.work(stepCountMax: 10) }
        set.outgoingChanged()
      }
      if try condition() { return }
      bell.wait(for: .milliseconds(30))
    } while ContinuousClock.now < end
    Issue.record(
      "it did not come to that; signer: \(signerLog.lines.suffix(8)); machine: \(machine.log.lines.suffix(8))",
      sourceLocation: sourceLocation)
  }

  private func isMinuteOver(_ waitsForAnswers: Bool) throws -> Bool {
    let elapsed = ContinuousClock.now - beat.at
    guard waitsForAnswers, elapsed < Self.answerPatience else {
      return elapsed >= Self.beatInterval
    }
    return try elapsed >= Self.beatInterval
      && fleet.outbox.recipients().allSatisfy { ($0.seenAt ?? beat.time) > beat.time }
  }

  /// Everyone is at the newest revision, has said so, and hears of the signer.
  func isSettled() throws -> Bool {
    let newest = try fleet.source.id("main")
    guard try fleet.outbox.unstored().isEmpty, try fleet.outbox.unanswered().isEmpty else {
      return false
    }
    let states = try fleet.outbox.recipients()
    guard states.allSatisfy({ $0.revision == newest && $0.standing == .current }) else {
      return false
    }
    return try fleet.machines.allSatisfy { machine in
      let status = try machine.status()
      return status.revision == newest && status.heartbeat != nil && status.staleness == nil
    }
  }

  func isStale(_ which: TestMachine? = nil) throws -> Bool {
    let machine = which ?? machine
    return try machine.status().staleness != nil && machine.log.count(of: "stale checkout") > 0
  }

  /// That the relay's lies changed nothing that matters; and when they end, that everything is as if there had been none.
  func expectRecovery(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try expectSound(sourceLocation)
    relay.behave()
    try settle(sourceLocation: sourceLocation)
    try expectSound(sourceLocation)
    try fleet.expectEqual(sourceLocation: sourceLocation)
    // And what is new arrives as ever.
    try push()
    try settle(sourceLocation: sourceLocation)
    try expectSound(sourceLocation)
  }

  /// Every checkout is exactly some revision of the branch, and no message was applied twice.
  private func expectSound(_ sourceLocation: SourceLocation) throws {
    let revisions = Set(try fleet.source.git("rev-list", "main").split(separator: "\n"))
    for machine in fleet.machines {
      let head = try machine.checkout.git("rev-parse", "HEAD")
      #expect(revisions.contains(head[...]), sourceLocation: sourceLocation)
      #expect(try machine.checkout.status() == "", sourceLocation: sourceLocation)
      #expect(try machine.checkout.fsck() == "", sourceLocation: sourceLocation)
      let sequences = machine.log.lines.filter { $0.hasPrefix("applied ") }
        .compactMap { $0.firstMatch(of: /"sequence": (\d+)/)?.1 }
      #expect(Set(sequences).count == sequences.count, sourceLocation: sourceLocation)
      #expect(!sequences.isEmpty || machine.log.count(of: "applied ") == 0)
    }
  }
}
