import Applier
import Foundation
import GitModel
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing

/// What a machine knows when it hears nothing, or nothing new.
struct FreshnessTests {
  private func beat(_ fleet: TestFleet) throws {
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    try fleet.deliver()
  }

  private func metrics(_ machine: TestMachine) throws -> String {
    try String(contentsOfFile: try #require(machine.settings.metrics), encoding: .utf8)
  }

  @Test func `heartbeat of the newest revision is answered as current`() throws {
    let fleet = try TestFleet.started()
    try beat(fleet)
    #expect(try fleet.machine().standing == .current)
    let status = try fleet.machines[0].status()
    #expect(status.staleness == nil)
    #expect(try status.heartbeat?.revision == fleet.source.id())
    #expect(try metrics(fleet.machines[0]).contains("distro_checkout_stale{remote="))
  }

  @Test func `expired heartbeat makes stale and the next one fresh`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try beat(fleet)
    fleet.clock.advance(seconds: 301)
    for _ in 1...3 { try machine.work() }
    guard case .expired = try machine.status().staleness else {
      Issue.record("\(String(describing: try machine.status().staleness))")
      return
    }
    #expect(machine.log.count(of: "stale checkout") == 1)
    #expect(try metrics(machine).contains("path=\"\(machine.checkout.path)\"} 1\n"))
    try beat(fleet)
    #expect(try machine.status().staleness == nil)
    #expect(machine.log.count(of: "fresh checkout") == 1)
    #expect(try metrics(machine).contains("path=\"\(machine.checkout.path)\"} 0\n"))
  }

  /// The carrier lets heartbeats through, and keeps the message.
  @Test func `withheld message makes stale until it is there`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    try fleet.lose(for: machine)
    try beat(fleet)
    #expect(try machine.status().staleness == .elsewhere(newest: fleet.source.id()))
    #expect(machine.log.count(of: "\"reason\": behind") == 1)
    try fleet.heal()
    try fleet.expectEqual()
    #expect(try machine.status().staleness == nil)
  }

  /// No answer takes another's place that is to a message of its own.
  @Test func `messages that expired at the relay are answered each`() throws {
    let pipeline = try Pipeline.started()
    for number in 2...3 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
    pipeline.clock.advance(seconds: 2 * 86_400)
    for message in try pipeline.sealedMessages() {
      try pipeline.deposit(message, from: pipeline.applier.public.mailbox)
    }
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [.expired, .expired])
  }

  @Test func `receipts that nobody collects go after the longest lifetime`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
    try machine.work()
    let signer = fleet.signer.public.mailbox
    #expect(try machine.store.messages(in: signer, countMax: 9).count == 1)
    fleet.clock.advance(seconds: 92 * 86_400)
    try machine.work()
    #expect(try machine.store.messages(in: signer, countMax: 9).isEmpty)
  }

  /// As long as there is something to do, and it never ends.
  @Test func `machine that never comes to rest says that it is stale`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try beat(fleet)
    let mail = try sealed(
      fleet, by: fleet.signer, naming: fleet.signer, revision: try fleet.source.id())
    for _ in 1...6 {
      fleet.clock.advance(seconds: 61)
      try fleet.deposit(mail, at: machine)
      try machine.work(stepCountMax: 1)
    }
    #expect(machine.log.count(of: "stale checkout") == 1)
    #expect(try metrics(machine).contains("path=\"\(machine.checkout.path)\"} 1\n"))
  }

  @Test func `without any heartbeat it is stale after the configured time`() throws {
    let fleet = try TestFleet.started(staleAfterSeconds: 600)
    let machine = fleet.machines[0]
    #expect(try machine.status().freshness == .unheard)
    fleet.clock.advance(seconds: 599)
    try machine.work()
    #expect(try machine.status().freshness == .unheard)
    fleet.clock.advance(seconds: 2)
    try machine.work()
    guard case .silent = try machine.status().staleness else {
      Issue.record("\(String(describing: try machine.status().staleness))")
      return
    }
    #expect(try machine.status().freshness == .stale)
    #expect(machine.log.count(of: "no-heartbeat") == 1)
    try beat(fleet)
    #expect(try machine.status().freshness == .fresh)
  }

  /// A patch that comes between two heartbeats is no reason to worry.
  @Test func `message that is younger than the heartbeat is fresh`() throws {
    let fleet = try TestFleet.started()
    try beat(fleet)
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    #expect(try fleet.machines[0].status().staleness == nil)
    try fleet.machines[0].checkout.git("reset", "-q", "--hard", "HEAD~1")
    try beat(fleet)
    guard case .elsewhere = try fleet.machines[0].status().staleness else {
      Issue.record("a checkout that was set back is fresh")
      return
    }
  }

  @Test func `heartbeat that comes again is dropped`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try fleet.step()
    let first = try #require(try fleet.sealed(for: machine).first)
    try fleet.deliver()
    try beat(fleet)
    let before = try machine.status().heartbeat?.createdAt
    try fleet.deposit(first, at: machine)
    try machine.work()
    #expect(try fleet.receipts(of: machine).isEmpty)
    #expect(try machine.status().heartbeat?.createdAt == before)
    #expect(machine.log.count(of: "heartbeat-dropped") == 1)
    #expect(machine.log.count(of: "replayed") == 1)
  }

  private func sealed(
    _ fleet: TestFleet, by author: Identity, naming signer: Identity, revision: ObjectID,
    lifetimeMilliseconds: UInt64 = 300_000, chunksBehindIt count: Int = 0
  ) throws -> SealedMessage {
    let machine = fleet.machines[0]
    let heartbeat = Heartbeat(
      signer: signer.public.mailbox, recipients: [machine.mailbox],
      counter: fleet.clock.now.milliseconds, createdAt: fleet.clock.now,
      expiresAt: fleet.clock.now.adding(milliseconds: lifetimeMilliseconds),
      streams: [
        .init(
          StreamName(remote: Pipeline.remote, branch: fleet.main), sequence: 99, revision: revision,
          tree: nil)
      ])
    let statement = try Statement.signed(
      heartbeat.encoded(), type: Heartbeat.statementType, by: author)
    var sealer = Sealer(for: [machine.identity.public])
    var chunks = [sealer.header, sealer.seal(statement, isLast: count == 0)]
    for number in 0..<count {
      chunks.append(
        sealer.seal(
          [UInt8](repeating: 0, count: Limits.chunkPlaintextByteCountMax),
          isLast: number + 1 == count))
    }
    return SealedMessage(chunks: chunks)
  }

  /// Someone who may read a heartbeat seals it anew, with as much behind it as fills a disk.
  @Test func `heartbeat with more behind it is refused and leaves nothing`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let padded = try sealed(
      fleet, by: fleet.signer, naming: fleet.signer, revision: try fleet.source.id(),
      chunksBehindIt: 8)
    try fleet.deposit(padded, at: machine)
    try machine.work()
    #expect(try machine.status().heartbeat == nil)
    #expect(machine.log.count(of: "tampered") == 1)
    #expect(try machine.store.state.spool.names() == [])
  }

  /// A stranger; one who is trusted for another checkout; and one who speaks in another's name.
  @Test(arguments: ["stranger", "other", "imposter"])
  func `heartbeat of an untrusted signer is dropped`(who: String) throws {
    let other = Identity(generating: try IdentityName("other"))
    let stranger = Identity(generating: try IdentityName("stranger"))
    let fleet = try TestFleet.started(others: [other])
    let machine = fleet.machines[0]
    let author = who == "stranger" ? stranger : other
    let lie = try sealed(
      fleet, by: author, naming: who == "imposter" ? fleet.signer : author,
      revision: try fleet.source.id())
    try fleet.deposit(lie, at: machine)
    try machine.work()
    #expect(try machine.status().heartbeat == nil)
    #expect(machine.log.count(of: "heartbeat-dropped") == 1)
    #expect(try fleet.receipts(of: machine).isEmpty)
    #expect(try machine.store.messages(in: machine.mailbox, countMax: 9).isEmpty)
  }

  @Test func `heartbeat that has expired or lasts too long is dropped`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let revision = try fleet.source.id()
    let old = try sealed(fleet, by: fleet.signer, naming: fleet.signer, revision: revision)
    fleet.clock.advance(seconds: 301)
    try fleet.deposit(old, at: machine)
    let eternal = try sealed(
      fleet, by: fleet.signer, naming: fleet.signer, revision: revision,
      lifetimeMilliseconds: Limits.lifetimeMillisecondsMax + 1)
    try fleet.deposit(eternal, at: machine)
    try machine.work()
    #expect(try machine.status().heartbeat == nil)
    #expect(machine.log.count(of: "expired") == 1 && machine.log.count(of: "over-limit") == 1)
  }

  /// What waits for a machine goes before a heartbeat, which would tell of it.
  @Test func `machine with messages in the outbox gets no heartbeat`() throws {
    let fleet = try TestFleet.started(["web1", "web2"])
    try fleet.source.commit(["a": "2\n"])
    fleet.machines[1].isCutOff = true
    try fleet.push()
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    #expect(try fleet.sealed(for: fleet.machines[0]).count == 1)
    #expect(try fleet.sealed(for: fleet.machines[1]).count == 1)
    fleet.machines[1].isCutOff = false
    try fleet.deliver()
    try fleet.expectEqual()
    #expect(try fleet.machine(0).standing == .current)
  }
}
