import Foundation
import MessageFormat
import TestSupport
import Testing

/// A message that a carrier brings after a younger one: it is refused as replayed, and nothing else changes.
struct LateMessageTests {
  private let fleet: TestFleet
  private var machine: TestMachine { fleet.machines[0] }

  init() throws {
    fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
  }

  /// Sends what waits for the machine now, after everything else.
  private func bring(_ late: [SealedMessage]) throws {
    fleet.clock.advance(seconds: 60)
    for message in late { try fleet.deposit(message, at: machine) }
    try machine.work()
    let answers = try fleet.receipts(of: machine)
    #expect(answers.map { $0.receipt?.refusal } == [.replayed])
    try fleet.record(answers)
  }

  @Test func `it does not speak for a machine that has the newest revision`() throws {
    let late = try fleet.sealed(for: machine)
    try fleet.lose(for: machine)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    #expect(try fleet.machine().standing == .applied)
    try bring(late)
    #expect(try fleet.machine().standing == .applied)
    #expect(try fleet.machine().lastRefusal == nil)
    #expect(try fleet.heal() == 0)
  }

  /// What the machine said of the younger message is its word.
  @Test func `it does not speak for a machine that refuses the newest revision`() throws {
    let late = try fleet.sealed(for: machine)
    try fleet.lose(for: machine)
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: machine.checkout.path + "/a"))
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    #expect(try fleet.machine().lastRefusal?.name == "local-changes")
    try bring(late)
    #expect(try fleet.machine().lastRefusal?.name == "local-changes")
  }
}
