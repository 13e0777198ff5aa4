import Foundation
import GRDB
import Mailboxes
import MessageFormat
import TestSupport
import Threads
import ZeroMQ

/// What the relay moves, against what its disk and its line can do.
struct RelayRows {
  let workspace: Workspace
  let scale: Scale

  private static let clientCount = 16

  private static let smallByteCount = 1_024

  /// (f): small messages, each stored durably, against plain commits of as much with the same settings, and messages of
  /// the bare line.
  func smallMessages() throws -> Measurement {
    let count = scale.isShort ? 200 : 1_000
    var (ours, commits, bare): ([Double], [Double], [Double]) = ([], [], [])
    for run in 0..<scale.runCount {
      commits.append(try commitRate(count: scale.isShort ? 200 : 1_000, run: run))
      bare.append(try BareCurve(frameByteCount: Self.smallByteCount).framesPerSecond(count: 20_000))
      ours.append(try depositRate(count: count))
    }
    return Measurement(
      name: "(f) relay: 1 KiB messages stored durably a second, and SQLite commits",
      ours: number(median(ours)) + "/s", theirs: number(median(commits)) + "/s",
      ratio: median(ours) / median(commits), goal: .atLeast(1),
      notes: [
        "\(Self.clientCount) clients; bare CURVE carries \(number(median(bare))) messages of 1 KiB a second: "
          + "\(number(median(ours) / median(bare))) of it"
      ])
  }

  private func depositRate(count: Int) throws -> Double {
    let names = (0..<Self.clientCount).map { "signer\($0)" }
    let relay = try RelayProgram(in: workspace, signers: names, appliers: ["reader"])
    defer { workspace.discard(["relay"]) }
    let reader = TestIdentity.mailbox("reader")
    let context = try Context()
    let work = try names.enumerated().map { index, name in
      let letters = (0..<count).map {
        Letter(UInt32(index * count + $0), payloadByteCount: 500, for: [reader])
      }
      return (try relay.signer(name, in: context), letters)
    }
    for (visitor, _) in work { try visitor.awaitHandshakes(1) }
    let failures = Failures()
    let start = ContinuousClock.now
    let threads = try work.map { visitor, letters in
      try LoopThread {
        failures.note {
          try visitor.deposit(
            letters, for: [reader], underWayMax: Int(Limits.openDepositCountMax))
        }
      }
    }
    for thread in threads { thread.join() }
    let elapsed = seconds(ContinuousClock.now - start)
    try failures.rethrow()
    relay.stop()
    let state = try StateDatabase(
      directory: workspace.path("relay/state"), migrator: DatabaseMigrator())
    // With their payloads: header, statement and this.
    let stored = try state.queue.read {
      try Int.fetchOne(
        $0, sql: "SELECT COUNT(*) FROM delivery JOIN chunk USING (message) WHERE number = 2")
    }
    guard stored == Self.clientCount * count else {
      throw ProgramFailure(description: "\(stored ?? 0) messages are there")
    }
    return Double(Self.clientCount * count) / elapsed
  }

  /// One row and one commit each, of a table that has nothing else.
  private func commitRate(count: Int, run: Int) throws -> Double {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("plain") {
      try $0.execute(sql: "CREATE TABLE message (id BLOB PRIMARY KEY, bytes BLOB) WITHOUT ROWID")
    }
    let state = try StateDatabase(
      directory: workspace.path("commits-\(run)"), migrator: migrator)
    let bytes = Data(repeating: 7, count: Self.smallByteCount)
    let ids = (0..<count).map { Data(MessageID(number: UInt32($0)).bytes) }
    let elapsed = try ContinuousClock().measure {
      for id in ids {
        try state.queue.write {
          try $0.cachedStatement(sql: "INSERT INTO message VALUES (?, ?)")
            .execute(arguments: [id, bytes])
        }
      }
    }
    return Double(count) / seconds(elapsed)
  }

  /// (g): one large message to the relay, and from it, in chunks of 128 KiB.
  func largeMessage() throws -> [Measurement] {
    let byteCount = (scale.isShort ? 32 : 256) << 20
    let letter = Letter(
      1, payloadByteCount: byteCount, for: [TestIdentity.mailbox("reader")])
    var (deposits, collects, bare): ([Double], [Double], [Double]) = ([], [], [])
    for _ in 0..<scale.runCount {
      bare.append(
        try BareCurve(frameByteCount: Limits.chunkByteCountMax).bytesPerSecond(
          byteCount: byteCount))
      let relay = try RelayProgram(in: workspace, signers: ["signer"], appliers: ["reader"])
      defer { workspace.discard(["relay"]) }
      let context = try Context()
      let (sender, reader) = (
        try relay.signer("signer", in: context), try relay.applier("reader", in: context)
      )
      try sender.awaitHandshakes(1)
      try reader.awaitHandshakes(1)
      let deposit = try ContinuousClock().measure {
        try sender.deposit(letter, for: [reader.mailbox])
      }
      let collect = try ContinuousClock().measure {
        try reader.askForMail()
        try receiveAll([reader])
      }
      guard reader.hasReceived(letter) else {
        throw ProgramFailure(description: "something else came than was sent")
      }
      deposits.append(Double(byteCount) / seconds(deposit))
      collects.append(Double(byteCount) / seconds(collect))
    }
    return [("deposited", deposits), ("collected", collects)].map { what, rates in
      Measurement(
        name: "(g) relay: a message of \(byteCount >> 20) MiB \(what), and the bare line",
        ours: rate(median(rates)), theirs: rate(median(bare)), ratio: median(rates) / median(bare),
        goal: .atLeast(0.6))
    }
  }
}
