import Foundation
import GRDB
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Usage that is kept and not summed, and a disk that gets back what was on it.
@Suite struct SpaceTests {
  private let mailboxes = (1...3).map { Mailbox(repeating: $0) }

  /// The same as adding everything up, after any deposits, removals, sweeps and restarts.
  @Test func `usage is what adding up would give`() throws {
    let clock = MachineTime()
    var test = try Store(sinceBoot: clock.sinceBoot)
    var generator = SeededGenerator(seed: 7)
    for step in 0..<300 {
      let number = UInt32.random(in: 0..<40, using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<5:
        let size = Bool.random(using: &generator) ? 10 : 700_000
        let slot = number < 5 ? Slot(repeating: 1) : nil
        let letter = Letter(number, payloadByteCount: size, slot: slot)
        try test.deposit(letter, for: Array(mailboxes.shuffled(using: &generator).prefix(2)))
      case 5..<9:
        let mailbox = mailboxes[step % 3]
        if let message = try test.store.first(in: mailbox) { try test.store.remove(message) }
      default:
        test = try Store(in: test.folder, sinceBoot: clock.sinceBoot)
      }
      if step % 50 == 49 {
        clock.advance(milliseconds: Limits.storedMillisecondsMax + 1)
        _ = try test.store.sweep(at: clock.wall, countMax: 3)
      }
      try expectSums(test)
    }
    #expect(try test.rowCount(of: "message") > 0)
  }

  private func expectSums(_ test: Store) throws {
    for mailbox in mailboxes {
      let messages = try test.store.messages(in: mailbox, countMax: 1_000)
      let usage = try test.store.usage(of: mailbox, as: .mailbox)
      #expect(usage.messageCount == UInt64(messages.count))
      #expect(usage.byteCount == messages.reduce(0) { $0 + $1.size.byteCount })
    }
    let all = try test.store.state.queue.read { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT COUNT(*) AS count, TOTAL(byteCount) AS bytes, MIN(receivedAt) AS oldest FROM message
          """)
    }
    let usage = try test.store.usage(of: Letter(0).sender, as: .depositor)
    #expect(usage.messageCount == all?["count"])
    #expect(Double(usage.byteCount) == all?["bytes"])
    #expect(usage.oldest?.milliseconds == all?["oldest"])
  }

  /// 200 MB, half of it in the database and half in files, come and go.
  @Test func `drained store gives its space back`() throws {
    let test = try Store()
    let alice = mailboxes[0]
    for batch in 0..<20 {
      let letters = (0..<10).map {
        let size = $0 % 2 == 0 ? 500_000 : 1_500_000
        return Letter(UInt32(batch * 10 + $0), payloadByteCount: size)
      }
      try test.store.commit(
        letters.map { try test.incoming($0, for: [alice]) }, at: letters[0].time)
    }
    #expect(try diskByteCount(of: test.directory) > 190_000_000)
    while let message = try test.store.first(in: alice) { try test.store.remove(message) }
    var steps = 0
    while try test.store.state.giveBackSpace(above: 4 << 20, byteCountMax: 8 << 20) { steps += 1 }
    #expect(steps > 3)
    #expect(try diskByteCount(of: test.directory) < 25_000_000)
    let check = try test.store.state.queue.read {
      try String.fetchOne($0, sql: "PRAGMA quick_check")
    }
    #expect(check == "ok")
  }

  private func diskByteCount(of directory: String) throws -> Int {
    try FileManager.default.subpathsOfDirectory(atPath: directory).reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
      let isFile = attributes[.type] as? FileAttributeType == .typeRegular
      return sum + (isFile ? attributes[.size] as? Int ?? 0 : 0)
    }
  }
}
