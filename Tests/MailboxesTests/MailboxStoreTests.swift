import Mailboxes
import MessageFormat
import TestSupport
import Testing

@Suite struct MailboxStoreTests {
  private let alice = Mailbox(repeating: 1)
  private let bob = Mailbox(repeating: 2)
  private let carol = Mailbox(repeating: 3)
  private let test: Store

  init() throws { test = try Store() }

  @Test func `messages come out in the order in which they were committed`() throws {
    let letters = [5, 3, 9, 1].map { Letter($0) }
    for letter in letters { try test.deposit(letter, for: [alice]) }
    #expect(try test.ids(in: alice) == letters.map(\.id))
    let first = try #require(try test.store.first(in: alice))
    #expect(first.id == letters[0].id)
    #expect(first.size == letters[0].size)
    #expect(first.depositor == letters[0].sender)
    #expect(first.receivedAt == letters[0].time)
    #expect(try test.store.first(in: alice, after: first.entry.position)?.id == letters[1].id)
    #expect(try test.store.messages(in: alice, countMax: 2).map(\.id) == letters[..<2].map(\.id))
  }

  @Test func `order outlives removal and restart`() throws {
    for number in 1...3 { try test.deposit(Letter(UInt32(number)), for: [alice]) }
    let all = try test.store.messages(in: alice, countMax: 10)
    for message in all { try test.store.remove(message) }
    let again = try Store(in: test.folder, directory: test.directory)
    try again.deposit(Letter(4), for: [alice])
    let next = try #require(try again.store.first(in: alice))
    #expect(next.entry.position > (try #require(all.last)).entry.position)
  }

  @Test(arguments: [100, 2_000_000])
  func `what comes out is what went in`(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    try test.deposit(letter, for: [alice])
    let restarted = try Store(in: test.folder, directory: test.directory)
    for store in [test, restarted] {
      let message = try #require(try store.store.first(in: alice))
      #expect(try message.chunks() == letter.chunks)
      let stored = try message.open()
      #expect(stored.count == UInt32(letter.chunks.count))
      #expect(try stored[stored.count - 1] == letter.chunks.last)
      #expect(try stored[0] == letter.chunks[0])
    }
  }

  @Test func `large message is a file and small one is not`() throws {
    let most = Int(MailboxStore.inlineByteCountMax - Letter(1, payloadByteCount: 0).size.byteCount)
    try test.deposit(Letter(1, payloadByteCount: most), for: [alice])
    #expect(try test.spoolNames == [])
    let large = try test.deposit(Letter(2, payloadByteCount: most + 1), for: [alice])
    #expect(try test.spoolNames == ["\(large.hex).sealed"])
    #expect(try test.rowCount(of: "chunk") == Letter(1, payloadByteCount: most).chunks.count)
  }

  @Test(arguments: [100, 1_000_000])
  func `many mailboxes share one storage until the last one lets go`(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    let isFile = UInt64(payloadByteCount) > MailboxStore.inlineByteCountMax
    try test.deposit(letter, for: [alice, bob, carol])
    #expect(try test.rowCount(of: "message") == 1)
    #expect(try test.rowCount(of: "delivery") == 3)
    for (left, mailbox) in [(2, alice), (1, bob), (0, carol)] {
      let message = try #require(try test.store.message(letter.id, in: mailbox))
      #expect(try message.chunks() == letter.chunks)
      try test.store.remove(message)
      #expect(try test.store.message(letter.id, in: mailbox) == nil)
      #expect(try test.rowCount(of: "delivery") == left)
      #expect(try test.spoolNames.count == (isFile && left > 0 ? 1 : 0))
    }
    #expect(try test.rowCount(of: "message") == 0)
    #expect(try test.rowCount(of: "chunk") == 0)
    #expect(try !test.store.contains(letter.id))
  }

  @Test func `removal is repeatable`() throws {
    try test.deposit(Letter(1), for: [alice, bob])
    let message = try #require(try test.store.first(in: alice))
    try test.store.remove(message)
    try test.store.remove(message)
    #expect(try test.store.first(in: bob) != nil)
  }

  @Test func `mailboxes do not see each other's messages`() throws {
    let id = try test.deposit(Letter(1), for: [alice])
    #expect(try test.store.first(in: bob) == nil)
    #expect(try test.store.message(id, in: bob) == nil)
  }

  @Test(arguments: [100, 1_000_000])
  func `same message twice is stored once`(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    try test.deposit(letter, for: [alice])
    try test.deposit(letter, for: [alice])
    let twice = try (0..<2).map { _ in try test.incoming(letter, for: [alice]) }
    try test.store.commit(twice, at: letter.time)
    #expect(try test.ids(in: alice) == [letter.id])
    #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
  }

  /// Whoever finishes first has stored it: a second deposit that is under way, or is given up, does not touch it.
  @Test func `second deposit under way does not touch the first`() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    let second = try MessageWriter(
      letter.offer(for: [alice]), from: letter.sender, into: test.store)
    let first = try MessageWriter(
      letter.offer(for: [alice]), from: letter.sender, into: test.store)
    try second.append(letter.chunks[0])
    for chunk in letter.chunks { try first.append(chunk) }
    try test.store.commit([first], at: letter.time)
    #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
    for chunk in letter.chunks[1...] { try second.append(chunk) }
    try test.store.commit([second], at: letter.time)
    #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
    #expect(try test.spoolNames.count == 1)
  }

  @Test func `position beyond the last finds nothing`() throws {
    try test.deposit(Letter(1), for: [alice])
    #expect(try test.store.first(in: alice, after: .max) == nil)
    #expect(try test.store.first(in: alice, after: UInt64(Int64.max)) == nil)
  }
}
