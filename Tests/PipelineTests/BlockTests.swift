import Applier
import Foundation
import Git
import GitModel
import Logging
import MessageFormat
import Sealing
import Signer
import Synchronization
import TestSupport
import Testing

/// What a signer and an operator are told of a checkout that the machine keeps from being updated.
struct BlockTests {
  /// An instant that only the test moves.
  private final class TestInstant: Sendable {
    private let time = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { time.withLock { $0 } }

    func advance(seconds: Int) { time.withLock { $0 += .seconds(seconds) } }
  }

  private let fleet: TestFleet
  private let machine: TestMachine
  private let instant = TestInstant()
  private let worker: Worker

  init() throws {
    fleet = try TestFleet.started()
    machine = fleet.machines[0]
    worker = Self.worker(machine, instant)
  }

  private static func worker(_ machine: TestMachine, _ instant: TestInstant) -> Worker {
    Worker(
      machine.settings, store: machine.store, log: machine.log.logger,
      now: { [clock = machine.clock] in clock.now },
      sinceBoot: { [clock = machine.clock] in clock.sinceBoot }, instant: { instant.now },
      onAnswer: {})
  }

  private func work(_ worker: Worker? = nil) throws {
    while case .progress = try (worker ?? self.worker).handleNext() {}
  }

  private func pass(seconds: Int) {
    instant.advance(seconds: seconds)
    fleet.clock.advance(seconds: UInt64(seconds))
  }

  private func beat() throws {
    pass(seconds: 61)
    _ = try fleet.step()
    for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
    try fleet.lose(for: machine)
  }

  private func push() throws {
    try fleet.source.commit(["a": "\(UInt64.random(in: 0...(.max)))\n"])
    try fleet.send()
    for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
    try fleet.lose(for: machine)
  }

  private func reasons(_ answers: [ReceiptReader.Answer]) -> [BlockReason?] {
    answers.flatMap(\.blocks)
  }

  @Test func `a fault is told once it has lasted a minute, and a later word replaces it`() throws {
    let head = try machine.checkout.id()
    let lock = try CheckoutLock(gitDirectory: machine.checkout.path + "/.git")
    try push()
    try work()
    #expect(try fleet.receipts(of: machine).isEmpty)
    #expect(try machine.status().block == nil)
    pass(seconds: 61)
    try work()
    let receipts = try fleet.receipts(of: machine)
    #expect(reasons(receipts) == [.gitLock])
    #expect(receipts.first?.receipt?.revision == head)
    #expect(try machine.status().block?.reason == .gitLock)
    _ = try fleet.record(receipts)
    #expect(try fleet.machine().standing == .blocked)
    // Not again for the same reason.
    pass(seconds: 61)
    try work()
    #expect(try fleet.receipts(of: machine).isEmpty)
    _ = consume lock
    pass(seconds: 61)
    try work()
    let last = try fleet.receipts(of: machine)
    #expect(last.map { $0.receipt?.refusal } == [nil] && reasons(last) == [nil])
    #expect(try machine.status().block == nil)
    _ = try fleet.record(last)
    #expect(try fleet.machine().standing == .applied)
  }

  @Test func `heartbeats are answered while a checkout is blocked`() throws {
    let lock = try CheckoutLock(gitDirectory: machine.checkout.path + "/.git")
    try push()
    try work()
    pass(seconds: 61)
    try work()
    _ = try fleet.receipts(of: machine)
    for _ in 0..<3 {
      try beat()
      try work()
      let receipts = try fleet.receipts(of: machine)
      #expect(reasons(receipts) == [.gitLock])
      let seen = try fleet.machine().seenAt
      _ = try fleet.record(receipts)
      #expect(try fleet.machine().seenAt != seen)
    }
    // The message still waits, and no heartbeat does.
    #expect(try machine.store.messages(in: machine.mailbox, countMax: 9).count == 1)
    _ = consume lock
    pass(seconds: 31)
    try work()
    #expect(try machine.checkout.id() == fleet.source.id())
  }

  @Test func `a run that starts while a checkout is blocked tells it at once`() throws {
    let lock = try CheckoutLock(gitDirectory: machine.checkout.path + "/.git")
    try push()
    try work()
    pass(seconds: 61)
    try work()
    _ = try fleet.receipts(of: machine)
    try work(Self.worker(machine, instant))
    #expect(reasons(try fleet.receipts(of: machine)) == [.gitLock])
    _ = consume lock
  }

  @Test func `heartbeats wait for no checkout, and say nothing of one that has just failed`() throws
  {
    let lock = try CheckoutLock(gitDirectory: machine.checkout.path + "/.git")
    try push()
    try work()
    // Less than a minute passes for the fault.
    for _ in 0..<20 {
      fleet.clock.advance(seconds: 61)
      _ = try fleet.step()
      for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
      try fleet.lose(for: machine)
      try work()
    }
    #expect(try machine.store.messages(in: machine.mailbox, countMax: 99).count == 1)
    #expect(try fleet.receipts(of: machine).isEmpty)
    #expect(try machine.status().freshness == .stale)
    _ = consume lock
    pass(seconds: 31)
    try work()
    #expect(try machine.store.messages(in: machine.mailbox, countMax: 99).isEmpty)
    #expect(try fleet.receipts(of: machine).map { $0.receipt?.refusal } == [nil])
    #expect(try machine.status().freshness == .fresh)
  }

  @Test func `another checkout at the path is told with the next heartbeat`() throws {
    try machine.checkout.git("checkout", "-q", "-b", "other")
    try beat()
    try work()
    let receipts = try fleet.receipts(of: machine)
    #expect(reasons(receipts) == [.checkoutMismatch])
    #expect(try machine.status().block?.reason == .checkoutMismatch)
    try machine.checkout.git("checkout", "-q", "main")
    try beat()
    try work()
    #expect(reasons(try fleet.receipts(of: machine)) == [nil])
    #expect(try machine.status().block == nil)
  }
}
