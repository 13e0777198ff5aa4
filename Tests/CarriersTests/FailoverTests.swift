import CarrierProtocol
import InProcessCarrier
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Several carriers to one recipient: which of them takes a message, and when.
struct FailoverTests {
  private let folder: TemporaryFolder
  private let sender: CarrierMachine
  private let reader: CarrierMachine
  private let start = ContinuousClock.now

  init() throws {
    folder = try TemporaryFolder()
    sender = try CarrierMachine("alice", in: folder)
    reader = try CarrierMachine("bob", in: folder)
  }

  private func letter(_ number: UInt32) -> Letter { Letter(number, for: [reader.mailbox]) }

  /// Three in a row, 10 s apart.
  private func turns() -> [FailoverTurn] {
    let failover = Failover(after: .seconds(10))
    return (0..<3).map { _ in failover.turn(for: [reader.mailbox]) }
  }

  private func isTurn(_ turn: FailoverTurn, after seconds: Int) throws -> Bool {
    try turn.mailboxes(
      of: [reader.mailbox], in: sender.store, at: start + .seconds(seconds)
    ).contains(reader.mailbox)
  }

  @Test func `each takes what the one before it has left for so long`() throws {
    let turns = turns()
    #expect(try isTurn(turns[0], after: 0))
    #expect(try !isTurn(turns[1], after: 0))
    #expect(turns[1].next == nil, "nothing waits")
    try sender.put(letter(1), for: [reader])
    #expect(try !isTurn(turns[1], after: 100) && !isTurn(turns[2], after: 100))
    #expect(turns[1].next == start + .seconds(110) && turns[2].next == start + .seconds(120))
    #expect(try !isTurn(turns[1], after: 109))
    #expect(try isTurn(turns[1], after: 110) && !isTurn(turns[2], after: 110))
    #expect(try isTurn(turns[2], after: 120))
  }

  @Test func `who moves something keeps the others out`() throws {
    let turns = turns()
    try sender.put(letter(1), for: [reader])
    #expect(try !isTurn(turns[1], after: 0))
    for seconds in stride(from: 5, to: 60, by: 5) {
      turns[0].noteMove(of: [reader.mailbox], at: start + .seconds(seconds))
      #expect(try !isTurn(turns[1], after: seconds + 4))
    }
    #expect(try isTurn(turns[1], after: 65))
    // What it moves itself keeps out the third alone.
    turns[1].noteMove(of: [reader.mailbox], at: start + .seconds(66))
    #expect(try isTurn(turns[1], after: 70) && !isTurn(turns[2], after: 70))
  }

  @Test func `who has stepped in takes what comes, until the first works again`() throws {
    let turns = turns()
    try sender.put(letter(1), for: [reader])
    #expect(try !isTurn(turns[1], after: 0) && isTurn(turns[1], after: 10))
    let waiting = try sender.store.outgoing(for: [reader.mailbox], countMax: 1)
    try sender.store.remove(waiting)
    try sender.put(letter(2), for: [reader])
    #expect(try isTurn(turns[1], after: 11))
    turns[0].noteMove(of: [reader.mailbox], at: start + .seconds(12))
    #expect(try !isTurn(turns[1], after: 13))
    #expect(try isTurn(turns[1], after: 23))
  }

  @Test func `a mailbox that one carrier alone leads to never waits`() throws {
    let failover = Failover(after: .seconds(10))
    _ = failover.turn(for: [sender.mailbox])
    #expect(try isTurn(failover.turn(for: [reader.mailbox]), after: 0))
  }

  @Test func `messages go by the second carrier while the first is down, and arrive once`() throws {
    let brokers = [InProcessBroker(seed: 1), InProcessBroker(seed: 2)]
    var down = InProcessFaults()
    down.isDown = true
    brokers[0].behave(down)
    try reader.connect(
      by: InProcessEnd(of: brokers[0]), InProcessEnd(of: brokers[1]),
      correspondents: [sender.mailbox])
    try sender.connect(
      by: InProcessEnd(of: brokers[0]), InProcessEnd(of: brokers[1]),
      correspondents: [reader.mailbox], failover: .milliseconds(50))
    let letters = (1...4).map { letter($0) }
    for letter in letters[..<3] { try sender.put(letter, for: [reader]) }
    try reader.requireMail(Array(letters[..<3]))
    brokers[0].behave()
    try sender.put(letters[3], for: [reader])
    try reader.requireMail(letters)
    #expect(try reader.store.usage(of: reader.mailbox, as: .mailbox).messageCount == 4)
  }
}
