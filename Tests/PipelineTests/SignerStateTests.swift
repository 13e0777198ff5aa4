import Foundation
import GRDB
import Mailboxes
import MessageFormat
import Signer
import Synchronization
import TestSupport
import Testing

/// A signer that has lost what it knew, or knows something old, or is told something old.
struct SignerStateTests {
  private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  @Test func `old messages are forgotten and nobody is lost`() throws {
    var options = PipelineOptions()
    options.memory.messageCountMax = 3
    let pipeline = try Pipeline.started(options)
    let first = try pipeline.source.id()
    func push(_ number: Int) throws {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.push()
    }
    func rows(_ table: String) throws -> Int? {
      try StateDatabase.signer(directory: pipeline.signerSettings.state).queue.read {
        try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)")
      }
    }
    for number in 2...8 { try push(number) }
    #expect(try rows("sent") == 3)
    #expect(try rows("answer") == 3)
    // Nobody remembers that this revision was sent.
    try pipeline.checkout.git("reset", "-q", "--hard", first.hex)
    try push(9)
    try push(10)
    try pipeline.expectEqual()
    // What waits to be handed over is not forgotten.
    for number in 11...16 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
    #expect(try pipeline.outbox.unstored().count == 6)
    #expect(try pipeline.deliver().count == 6)
    try pipeline.expectEqual()
  }

  /// A daemon and a hook that meet where there is no state yet.
  @Test func `several may make the state at once`() throws {
    let folder = try PipelineFolder()
    for round in 0..<30 {
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        do {
          _ = try Outbox(directory: folder.path("state-\(round)"))
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
    }
  }

  @Test func `lost signer state goes on with higher numbers`() throws {
    let fleet = try TestFleet.started()
    for number in 2...5 {
      try fleet.source.commit(["a": "\(number)\n"])
      try fleet.push()
    }
    let before = try fleet.newest().sequence
    try fleet.replaceSignerState { try remove($0) }
    try fleet.source.commit(["a": "6\n"])
    try fleet.push()
    // It knows of nobody, so it begins with a snapshot, and is told where the machine is.
    #expect(try fleet.machine().standing == .behind)
    #expect(try fleet.newest().sequence > before)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
    try fleet.source.commit(["a": "7\n"])
    try fleet.push()
    #expect(try fleet.newest().kind == "patch")
    try fleet.expectEqual()
  }

  @Test(arguments: [1, 3])
  func `signer state from a backup goes on`(lostPushes: Int) throws {
    let fleet = try TestFleet.started()
    let backup = fleet.folder.path("backup")
    try fleet.replaceSignerState { try FileManager.default.copyItem(atPath: $0, toPath: backup) }
    for number in 1...lostPushes {
      try fleet.source.commit(["a": "lost \(number)\n"])
      try fleet.push()
    }
    try fleet.replaceSignerState { path in
      try remove(path)
      try FileManager.default.moveItem(atPath: backup, toPath: path)
    }
    try fleet.source.commit(["a": "next\n"])
    try fleet.push()
    #expect(try fleet.newest().refusal == "replayed")
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
    try fleet.source.commit(["a": "and on\n"])
    try fleet.push()
    try fleet.expectEqual()
  }

  /// Without a push, a restored state must not take machines back to what it remembers.
  @Test func `signer state from a backup takes nobody back`() throws {
    let fleet = try TestFleet.started()
    let backup = fleet.folder.path("backup")
    try fleet.replaceSignerState { try FileManager.default.copyItem(atPath: $0, toPath: backup) }
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try fleet.replaceSignerState { path in
      try remove(path)
      try FileManager.default.moveItem(atPath: backup, toPath: path)
    }
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    try fleet.expectEqual()
  }

  @Test func `lost receipt counts when the message comes again`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    let machine = fleet.machines[0]
    let sealed = try fleet.sealed(for: machine)
    for message in sealed { try fleet.deposit(message, at: machine) }
    try fleet.lose(for: machine)
    try machine.work()
    #expect(try fleet.receipts(of: machine).map { $0.receipt?.refusal } == [nil])
    for message in sealed { try fleet.deposit(message, at: machine) }
    try fleet.deliver()
    #expect(try fleet.newest().state == .applied)
    #expect(try fleet.machine().standing == .applied)
  }

  /// An old answer that a carrier brings again says nothing of today.
  @Test func `old receipt that comes again changes nothing`() throws {
    let fleet = try TestFleet.started()
    try fleet.machines[0].checkout.git("reset", "-q", "--hard", "HEAD")
    try fleet.source.commit(["a": "2\n"])
    try fleet.step()
    try fleet.lose(for: fleet.machines[0])
    try fleet.send()
    try fleet.lose(for: fleet.machines[0])
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    for message in try fleet.sealed(for: fleet.machines[0]) {
      try fleet.deposit(message, at: fleet.machines[0])
    }
    try fleet.lose(for: fleet.machines[0])
    try fleet.machines[0].work()
    let old = try fleet.receipts(of: fleet.machines[0])
    #expect(old.count == 1)
    #expect(try fleet.record(old) == [.news])
    try fleet.heal()
    try fleet.expectEqual()
    #expect(try fleet.record(old) == [.known])
    #expect(try fleet.machine().standing != .behind)
  }

  /// What it said while it was ahead must not make what it says afterwards old news.
  @Test func `machine whose clock was ahead is healed when it is set right`() throws {
    let fleet = try TestFleet.started()
    fleet.machines[0].clock.set(aheadBySeconds: 2 * 86_400)
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    #expect(try fleet.newest().refusal == "expired")
    fleet.machines[0].clock.set(aheadBySeconds: 0)
    // What a right clock may be ahead.
    fleet.clock.advance(seconds: 301)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  /// Or heartbeats would end until the clock is where it was, and every machine would be stale.
  @Test func `clock that is set back keeps nothing waiting`() throws {
    let fleet = try TestFleet.started()
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    let sent = try fleet.sealed(for: fleet.machines[0]).map(\.id)
    let anHourAgo = Timestamp(milliseconds: fleet.clock.now.milliseconds - 3_600_000)
    var daemon = SignerDaemon(
      fleet.settings, outbox: fleet.outbox, progress: .init { _, _, _ in }, log: fleet.log.logger
    ) {
      anHourAgo
    }
    #expect(try daemon.step() <= 60_000)
    #expect(try fleet.sealed(for: fleet.machines[0]).map(\.id) != sent)
  }
}
