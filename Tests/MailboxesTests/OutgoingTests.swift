import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Which messages a carrier is given next, however much waits for others.
struct OutgoingTests {
  private let test: Store
  private let names = (1...6).map { Mailbox(repeating: UInt8($0)) }

  init() throws { test = try Store() }

  private struct Deposit {
    let id: MessageID
    let mailboxes: Set<Mailbox>
    let byteCount: UInt64
  }

  private func deposits(count: Int, _ random: inout SeededGenerator) throws -> [Deposit] {
    try (1...count).map { number in
      // Most wait for the first.
      let chosen = names.dropFirst().filter { _ in Int.random(in: 0..<8, using: &random) == 0 }
      let mailboxes = chosen.isEmpty ? [names[0]] : Array(chosen)
      let letter = Letter(
        UInt32(number), payloadByteCount: Int.random(in: 1...2_000, using: &random),
        for: mailboxes)
      try test.deposit(letter, for: mailboxes)
      return Deposit(
        id: letter.id, mailboxes: Set(mailboxes),
        byteCount: letter.chunks.reduce(0) { $0 + UInt64($1.count) })
    }
  }

  @Test func `the oldest messages come first, whatever waits for other mailboxes`() throws {
    var random = SeededGenerator(seed: 5)
    let deposits = try deposits(count: 200, &random)
    for _ in 0..<200 {
      let wanted = Set(names.filter { _ in Bool.random(using: &random) })
      let bounds = Dictionary(
        uniqueKeysWithValues: wanted.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
          .map { ($0, UInt64(1_000)) })
      let countMax = Int.random(in: 1...40, using: &random)
      let expected = deposits.compactMap { deposit -> (MessageID, Set<Mailbox>)? in
        let mailboxes = deposit.mailboxes.intersection(wanted).filter {
          deposit.byteCount < bounds[$0] ?? .max
        }
        return mailboxes.isEmpty ? nil : (deposit.id, mailboxes)
      }.prefix(countMax)
      let found = try test.store.outgoing(for: wanted, smallerThan: bounds, countMax: countMax)
      #expect(found.map(\.message.id) == expected.map(\.0))
      #expect(found.map { Set($0.mailboxes) } == expected.map(\.1))
    }
  }

  @Test func `a mailbox in which nothing waits gets nothing`() throws {
    var random = SeededGenerator(seed: 6)
    _ = try deposits(count: 5, &random)
    #expect(
      try test.store.outgoing(for: [Mailbox(repeating: 9)], smallerThan: [:], countMax: 3).isEmpty)
  }
}
