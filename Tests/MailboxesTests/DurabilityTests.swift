import Foundation
import GRDB
import Mailboxes
import MessageFormat
import Spool
import TestSupport
import Testing

/// What a killed run, a second run or a full disk leaves: everything that was committed, and nothing else.
@Suite struct DurabilityTests {
  private struct Fault: Error {}

  private let alice = Mailbox(repeating: 1)
  private let bob = Mailbox(repeating: 2)
  private let large = 1_000_000

  @Test(arguments: [100, 1_000_000])
  func `commit fails with the callers transaction`(payloadByteCount: Int) throws {
    let test = try Store()
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    let message = try test.incoming(letter, for: [alice])
    #expect(throws: Fault.self) {
      try test.store.commit([message], at: letter.time) { _ in throw Fault() }
    }
    #expect(try !test.store.contains(letter.id))
    #expect(try test.spoolNames == [])
    #expect(try test.rowCount(of: "chunk") == 0)
    // The same message goes in when there is no fault.
    try test.deposit(letter, for: [alice])
    #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
  }

  @Test func `callers transaction is part of the commit`() throws {
    let test = try Store()
    try test.deposit(Letter(1), for: [alice])
    let old = try #require(try test.store.first(in: alice))
    let answer = try test.incoming(Letter(2), for: [bob])
    try test.store.commit([answer], at: Timestamp(milliseconds: 5)) { database in
      try MailboxStore.remove(old, in: database)
    }
    #expect(try test.ids(in: alice) == [])
    #expect(try test.ids(in: bob) == [Letter(2).id])
  }

  @Test func `restart sweeps files without a row and keeps the rest`() throws {
    let test = try Store()
    let kept = try test.deposit(Letter(1, payloadByteCount: large), for: [alice])
    let spool = test.store.state.spool
    let orphan = MessageID(number: 77)
    for name in ["\(orphan.hex).sealed", "notes.txt", "abc.sealed"] {
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: spool.path(of: name)))
    }
    _ = try MailboxStore(testing: test.directory)
    #expect(try spool.names() == ["\(kept.hex).sealed", "abc.sealed", "notes.txt"].sorted())
    #expect(
      try test.store.first(in: alice)?.chunks() == Letter(1, payloadByteCount: large).chunks)
  }

  /// Removals are not synced one by one, files are gone at once: after a power cut the row may be back without its file.
  @Test func `row that came back without its file does not block the mailbox`() throws {
    let test = try Store()
    let gone = try test.deposit(Letter(1, payloadByteCount: large), for: [alice, bob])
    let kept = [
      try test.deposit(Letter(2, payloadByteCount: large), for: [alice]),
      try test.deposit(Letter(3), for: [alice]),
    ]
    try test.store.state.spool.remove("\(gone.hex).sealed")
    let restarted = try MailboxStore(testing: test.directory)
    #expect(try restarted.messages(in: alice, countMax: 10).map(\.id) == kept)
    #expect(try restarted.first(in: bob) == nil)
    #expect(try !restarted.contains(gone))
  }

  /// Killed after the file had its name and before its row was there.
  @Test func `file that a killed run left does not stand in for the message`() throws {
    let test = try Store()
    let letter = Letter(1, payloadByteCount: large)
    let path = test.store.state.spool.path(of: "\(letter.id.hex).sealed")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    try test.deposit(letter, for: [alice])
    #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
  }

  /// Two pushes at the same time are two processes on one outbox: the start of one must not sweep what the other is at.
  @Test func `second run does not sweep what the first is writing`() throws {
    let test = try Store()
    let letter = Letter(1, payloadByteCount: large)
    let message = try MessageWriter(
      letter.offer(for: [alice]), from: letter.sender, into: test.store)
    for chunk in letter.chunks.dropLast() { try message.append(chunk) }
    let other = try MailboxStore(testing: test.directory)
    try message.append(letter.chunks[letter.chunks.count - 1])
    try test.store.commit([message], at: letter.time)
    _ = try MailboxStore(testing: test.directory)
    #expect(try other.first(in: alice)?.chunks() == letter.chunks)
  }

  @Test func `many runs at once lose nothing`() async throws {
    let test = try Store()
    let runs: UInt32 = 4
    let each: UInt32 = 5
    let (directory, alice, large) = (test.directory, alice, large)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for run in 0..<runs {
        group.addTask {
          for number in 0..<each {
            let store = try MailboxStore(testing: directory)
            let letter = Letter(run * 100 + number, payloadByteCount: large)
            let message = try MessageWriter(
              letter.offer(for: [alice]), from: letter.sender, into: store)
            for chunk in letter.chunks { try message.append(chunk) }
            try store.commit([message], at: letter.time)
          }
        }
      }
      try await group.waitForAll()
    }
    let all = try test.store.messages(in: alice, countMax: 100)
    #expect(all.count == Int(runs * each))
    for message in all {
      #expect(try message.chunks().count == Letter(0, payloadByteCount: large).chunks.count)
    }
    #expect(try test.spoolNames.count == all.count)
  }

  @Test func `file that lost its end is an error and no message`() throws {
    let test = try Store()
    let letter = Letter(1, payloadByteCount: large)
    try test.deposit(letter, for: [alice])
    let path = test.store.state.spool.path(of: "\(letter.id.hex).sealed")
    try #require(unsafe truncate(path, 900_000) == 0)
    let message = try #require(try test.store.first(in: alice))
    let error = #expect(throws: MailboxError.self) { try message.chunks() }
    guard case .spool(.endsEarly) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs the right to"))
  func `full disk loses nothing`() throws {
    let folder = try TemporaryFolder()
    let disk = folder.path + "/disk"
    try SmallDisk.mount(on: disk, byteCount: 4 << 20, home: folder.path) {
      var kept: [MessageID] = []
      let filler = disk + "/filler"
      try Data(count: 512 * 1_024).write(to: URL(fileURLWithPath: filler))
      do {
        let test = try Store(in: folder, directory: disk + "/state")
        for size in [large, 100_000, 10] {
          kept += try fill(test, from: UInt32(size), payloadByteCount: size)
        }
        #expect(kept.count > 2)
        #expect(try test.ids(in: alice) == kept)
      }
      let restarted = try Store(in: folder, directory: disk + "/state")
      let messages = try restarted.store.messages(in: alice, countMax: 10_000)
      #expect(messages.map(\.id) == kept)
      for message in messages { #expect(try message.chunks().count > 2) }
      // Room again: what was refused goes in.
      try FileManager.default.removeItem(atPath: filler)
      try restarted.store.remove(try #require(messages.first))
      try restarted.deposit(Letter(7, payloadByteCount: 100_000), for: [alice])
      #expect(try restarted.ids(in: alice) == kept.dropFirst() + [Letter(7).id])
    }
  }

  /// Up to the first message for which there is no room; those that went in.
  private func fill(
    _ test: Store, from first: UInt32, payloadByteCount: Int
  ) throws -> [MessageID] {
    var kept: [MessageID] = []
    let error = #expect(throws: MailboxError.self) {
      for number in first..<first + 100_000 {
        kept.append(
          try test.deposit(Letter(number, payloadByteCount: payloadByteCount), for: [alice]))
      }
    }
    #expect(error?.isFullDisk == true, "\(String(describing: error))")
    return kept
  }

  /// sqlite.org/pragma.html#pragma_synchronous: 2 is FULL. An unsynced write must not leave anything else behind.
  @Test func `every other transaction is synced`() throws {
    let test = try Store()
    func mode() throws -> Int? {
      try test.store.state.queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }
    #expect(try mode() == 2)
    try test.store.state.writeUnsynced { _ in }
    #expect(try mode() == 2)
    #expect(throws: Fault.self) {
      try test.store.state.writeUnsynced { _ in throw Fault() }
    }
    #expect(try mode() == 2)
  }
}
