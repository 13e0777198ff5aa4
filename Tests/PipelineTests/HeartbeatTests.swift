import Applier
import Foundation
import Git
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Signer
import TestSupport
import Testing

/// One message for all streams of a machine, and one report on them.
struct HeartbeatTests {
  private static let names = ["main", "next", "stable"]

  @Test func `all streams of a machine are one heartbeat and one report`() throws {
    let fleet = try HeartbeatFleet.started(Self.names)
    let messages = try fleet.beat()
    #expect(messages.count == 1)
    let heartbeat = try fleet.open(try #require(messages.first))
    #expect(heartbeat.streams.map(\.name.branch.shortName) == Self.names)
    let reports = try fleet.exchange().map { try #require($0.report) }
    #expect(reports.map(\.counter) == [heartbeat.counter])
    let here = Snapshot(
      revision: try fleet.source.id(), tree: try fleet.source.tree("main"))
    #expect(
      reports.flatMap(\.streams).map(\.standing) == [
        .current(here), .current(here), .current(here),
      ])
    for name in Self.names { #expect(try fleet.recipient(name).standing == .current) }
    #expect(try fleet.statuses().allSatisfy { $0.freshness == .fresh })
    #expect(try fleet.store.messages(in: fleet.machine.public.mailbox, countMax: 9).isEmpty)
  }

  @Test func `one report says what each checkout needs`() throws {
    let fleet = try HeartbeatFleet.started(Self.names)
    let old = try fleet.source.id()
    try fleet.source.commit(["a": "2\n"])
    try fleet.send(fleet.branches[0])
    try fleet.exchange()
    try fleet.checkout("main").git("reset", "-q", "--hard", old.hex)
    try fleet.checkout("next").git("switch", "-q", "-c", "mine")
    try FileManager.default.removeItem(atPath: fleet.checkout("stable").path)
    _ = try fleet.beat()
    let report = try #require(try fleet.exchange().first?.report)
    let standings = report.streams.map(\.standing)
    #expect(
      standings.first
        == .behind(Snapshot(revision: old, tree: try fleet.source.tree(old.hex))))
    guard case .blocked(.checkoutMismatch, _, old) = standings[1] else {
      Issue.record("\(standings)")
      return
    }
    #expect(standings.last == .behind(nil))
    #expect(
      try Self.names.map { try fleet.recipient($0).standing } == [.behind, .blocked, .behind])
    #expect(try fleet.recipient("stable").revision == nil)
    #expect(
      try fleet.statuses().map { $0.block?.reason } == [nil, .checkoutMismatch, nil])
  }

  /// A machine that follows fewer branches than it is sent.
  @Test func `streams without a checkout are left out and seen on the status`() throws {
    let fleet = try HeartbeatFleet.started(Self.names, listening: ["main"])
    for message in try fleet.store.messages(in: fleet.signer.public.mailbox, countMax: 9) {
      try fleet.store.remove(message)
    }
    _ = try fleet.beat()
    let report = try #require(try fleet.exchange().first?.report)
    #expect(report.streams.map(\.name.branch.shortName) == ["main"])
    let strays = try ApplierStatus(
      fleet.applier, store: fleet.store,
      now: Moment(wall: fleet.clock.now, sinceBoot: fleet.clock.sinceBoot)
    ).strayRefusals
    #expect(strays.map(\.name) == ["branch-mismatch"])
  }

  /// It would tell of what is still to come; the others are heard of all the same.
  @Test func `a stream whose message waits is left out of the heartbeat`() throws {
    let fleet = try HeartbeatFleet.started(Self.names)
    try fleet.source.commit(["a": "2\n"])
    try fleet.send(fleet.branches[0])
    let heartbeats = try fleet.beat().compactMap { message in
      try? fleet.open(message)
    }
    #expect(heartbeats.flatMap(\.streams).map(\.name.branch.shortName) == ["next", "stable"])
  }

  @Test func `a heartbeat whose counter is not larger is dropped`() throws {
    let fleet = try HeartbeatFleet.started(Self.names)
    let first = try fleet.beat().map { try SealedMessage($0) }
    try fleet.exchange()
    let second = try fleet.beat().map { try SealedMessage($0) }
    try fleet.exchange()
    for replay in [first, second] {
      try fleet.deliver(replay)
      #expect(try fleet.answers().isEmpty)
    }
    #expect(fleet.log.count(of: "heartbeat-dropped") == 2)
  }

  @Test func `a report that comes again, or late, changes nothing`() throws {
    let fleet = try HeartbeatFleet.started(["main"])
    let reader = ReceiptReader(fleet.settings, outbox: fleet.outbox)
    var reports: [ReceiptReader.Answer] = []
    for _ in 0..<2 {
      let messages = try fleet.beat()
      try fleet.deliver(try messages.map { try SealedMessage($0) })
      for message in messages {
        try fleet.outbox.markStored([WaitingMessage(message)], at: fleet.clock.now)
      }
      for message in try fleet.store.messages(in: fleet.signer.public.mailbox, countMax: 9) {
        reports.append(try reader.read(try SealedMessage(message), named: message.id))
        try fleet.store.remove(message)
      }
    }
    #expect(try reader.record([reports[1]], at: fleet.clock.now) == [[.news]])
    #expect(try reader.record(reports, at: fleet.clock.now) == [[.known], [.known]])
  }

  @Test func `a report that answers no heartbeat of ours changes nothing`() throws {
    let fleet = try HeartbeatFleet.started(["main"])
    _ = try fleet.beat()
    let report = try #require(try fleet.exchange().first?.report)
    let stream = try #require(report.streams.first)
    let tree = try fleet.source.tree("main")
    let other = try #require(ObjectID(hex: String(repeating: "7", count: 40)))
    func forged(
      counter: UInt64, sequence: UInt64, _ standing: Report.Standing
    ) -> Report {
      Report(
        applier: report.applier, signer: report.signer, counter: counter,
        receivedAt: report.receivedAt, finishedAt: report.finishedAt,
        streams: [.init(stream.name, sequence: sequence, standing: standing)])
    }
    _ = try fleet.beat()
    let counter = report.counter + 1
    let revision = try fleet.source.id()
    for (forgery, field) in [
      (forged(counter: Limits.numberMax, sequence: stream.sequence, stream.standing), "counter"),
      (
        forged(counter: counter, sequence: stream.sequence + 1, stream.standing),
        "streams.sequence"
      ),
      (
        forged(
          counter: counter, sequence: stream.sequence,
          .current(Snapshot(revision: revision, tree: other))), "streams.tree"
      ),
      (
        forged(
          counter: counter, sequence: stream.sequence,
          .current(Snapshot(revision: other, tree: other))), "streams.revision"
      ),
      (
        forged(
          counter: counter, sequence: stream.sequence,
          .behind(Snapshot(revision: revision, tree: other))), "streams.tree"
      ),
    ] {
      #expect(try fleet.record(forgery) == [.mismatch(field: field)], "\(field)")
    }
    let known = forged(
      counter: counter, sequence: stream.sequence,
      .current(Snapshot(revision: revision, tree: tree)))
    #expect(try fleet.record(known) == [.news])
  }

  // MARK: - What a signer has lost, and clocks

  @Test func `a signer that has lost its state is heard at once`() throws {
    let fleet = try HeartbeatFleet.started(["main"])
    _ = try fleet.beat()
    try fleet.exchange()
    try fleet.loseSignerState()
    try fleet.send(fleet.branches[0])
    try fleet.exchange()
    _ = try fleet.beat()
    #expect(try fleet.exchange().compactMap(\.report).count == 1)
    #expect(fleet.log.count(of: "heartbeat-dropped") == 0)
  }

  /// Its counters were those of next year. What it has lost it cannot go on from.
  @Test func `a signer whose clock was ahead and whose state is lost is heard`() throws {
    let fleet = try HeartbeatFleet.started(["main"])
    fleet.clock.set(aheadBySeconds: 31_536_000)
    let ahead = try #require(try fleet.beat().first)
    let counter = try fleet.open(ahead).counter
    try fleet.exchange()
    fleet.clock.set(aheadBySeconds: -31_536_000)
    // It goes on from what it knows.
    let next = try #require(try fleet.beat().first)
    #expect(try fleet.open(next).counter == counter + 1)
    #expect(try fleet.exchange().compactMap(\.report).count == 1)
    try fleet.loseSignerState()
    try fleet.send(fleet.branches[0])
    try fleet.exchange()
    for _ in 0..<2 {
      let sealed = try fleet.beat().map { try SealedMessage($0) }
      #expect(try fleet.exchange().compactMap(\.report).map(\.counter).allSatisfy { $0 < counter })
      try fleet.deliver(sealed)
      #expect(try fleet.answers().isEmpty)
    }
    #expect(fleet.log.count(of: "heartbeat-dropped") == 2)
    #expect(try fleet.statuses().map(\.freshness) == [.fresh])
  }

  @Test func `counters grow while the clock stands, or is set back`() throws {
    let fleet = try HeartbeatFleet.started(["main"])
    var counters: [UInt64] = []
    for step in [Int64(0), -86_400, 86_400, -3_600] {
      fleet.clock.set(aheadBySeconds: step)
      counters.append(try fleet.open(try #require(try fleet.beat().first)).counter)
      try fleet.exchange()
    }
    #expect(counters == counters.sorted() && Set(counters).count == counters.count)
  }
}
