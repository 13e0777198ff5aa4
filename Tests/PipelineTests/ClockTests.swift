import Applier
import Foundation
import MessageFormat
import TestSupport
import Testing

/// Clocks that somebody sets, by a year: what an applier knows of its signers stays true.
struct ClockTests {
  private static let year: Int64 = 31_536_000

  private let fleet: TestFleet
  private var machine: TestMachine { fleet.machines[0] }

  init() throws { fleet = try TestFleet.started(staleAfterSeconds: 600) }

  private func beat() throws {
    fleet.clock.advance(seconds: 61)
    _ = try fleet.step()
    try fleet.deliver()
  }

  /// Signer and applier were both ahead, and are right again.
  @Test func `a heartbeat of a time that is ahead keeps no later one out`() throws {
    fleet.clock.set(aheadBySeconds: Self.year)
    try beat()
    #expect(try machine.status().staleness == nil)
    fleet.clock.set(aheadBySeconds: -Self.year)
    let before = machine.log.count(of: "heartbeat-answered")
    try beat()
    try beat()
    #expect(machine.log.count(of: "heartbeat-answered") > before)
    #expect(machine.log.count(of: "heartbeat-dropped") == 0)
    #expect(try machine.status().staleness == nil)
    fleet.clock.advance(seconds: 301)
    try machine.work()
    guard case .expired = try machine.status().staleness else {
      Issue.record("a signer that is silent is \(try machine.status().freshness)")
      return
    }
  }

  @Test(arguments: [1, -1])
  func `a step of the applier's clock makes nothing fresh or stale`(direction: Int64) throws {
    try beat()
    fleet.clock.set(aheadBySeconds: direction * Self.year)
    try machine.work()
    #expect(try machine.status().staleness == nil)
    fleet.clock.advance(seconds: 301)
    try machine.work()
    #expect(try machine.status().freshness == .stale)
    #expect(machine.log.count(of: "stale checkout") == 1)
  }

  @Test(arguments: [1, -1])
  func `a step of the clock is no reason to expect heartbeats sooner or later`(
    direction: Int64
  ) throws {
    try machine.work()
    fleet.clock.set(aheadBySeconds: direction * Self.year)
    fleet.clock.advance(seconds: 500)
    try machine.work()
    #expect(try machine.status().freshness == .unheard)
    fleet.clock.advance(seconds: 101)
    try machine.work()
    #expect(try machine.status().freshness == .stale)
  }

  @Test func `a start of the machine makes no heartbeat fresher`() throws {
    try beat()
    fleet.clock.reboot()
    #expect(try machine.status().staleness == nil)
    fleet.clock.set(aheadBySeconds: 301)
    #expect(try machine.status().freshness == .stale)
  }

  /// Stored by a clock that was ahead, and nothing says since when.
  @Test func `a stored time that is ahead is void after a start`() throws {
    fleet.clock.set(aheadBySeconds: Self.year)
    try beat()
    fleet.clock.set(aheadBySeconds: -Self.year)
    fleet.clock.reboot()
    #expect(try machine.status().freshness == .unheard)
    #expect(try machine.status().heartbeat == nil)
  }

  @Test func `a heartbeat is fresh no longer than it was when it came in`() throws {
    fleet.clock.advance(seconds: 61)
    _ = try fleet.step()
    for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
    // The program was not running.
    fleet.clock.advance(seconds: 250)
    try machine.work()
    #expect(try machine.status().staleness == nil)
    fleet.clock.advance(seconds: 51)
    #expect(try machine.status().freshness == .stale)
  }

  @Test(arguments: [Int64(600), -600])
  func `a machine whose clock differs says so in its status`(seconds: Int64) throws {
    fleet.clock.advance(seconds: 61)
    _ = try fleet.step()
    let messages = try fleet.sealed(for: machine)
    fleet.clock.set(aheadBySeconds: seconds)
    for message in messages { try fleet.deposit(message, at: machine) }
    try machine.work()
    let status = try ApplierStatus(
      machine.settings, store: machine.store, now: machine.clock.moment)
    let stray = try #require(status.strayRefusals.first)
    #expect(stray.isAboutClocks && stray.count == 1)
    #expect(stray.name == (seconds > 0 ? "expired" : "clock-skew"))
  }

  // MARK: - What waits, and what is stored

  @Test(arguments: [1, -1])
  func `a step of the clock discards nothing that waits for a machine`(direction: Int64) throws {
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    let waiting = try fleet.sealed(for: machine).map(\.id)
    fleet.clock.set(aheadBySeconds: direction * Self.year)
    try fleet.step()
    #expect(try fleet.sealed(for: machine).map(\.id) == waiting)
    fleet.clock.advance(seconds: 92 * 86_400)
    try fleet.step()
    #expect(try Set(fleet.sealed(for: machine).map(\.id)).isDisjoint(with: waiting))
    #expect(fleet.log.count(of: "message-expired") == 1)
    #expect(fleet.log.lines.contains { $0.contains(machine.mailbox.abbreviated) })
  }

  @Test(arguments: [1, -1])
  func `a step of the clock discards no receipt`(direction: Int64) throws {
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    for message in try fleet.sealed(for: machine) { try fleet.deposit(message, at: machine) }
    try machine.work()
    let signer = fleet.signer.public.mailbox
    #expect(try machine.store.messages(in: signer, countMax: 9).count == 1)
    fleet.clock.set(aheadBySeconds: direction * Self.year)
    try machine.work()
    #expect(try machine.store.messages(in: signer, countMax: 9).count == 1)
    fleet.clock.advance(seconds: 92 * 86_400)
    try machine.work()
    #expect(try machine.store.messages(in: signer, countMax: 9).isEmpty)
    #expect(machine.log.count(of: "message-expired") == 1)
  }

  /// What was stored meanwhile, on both sides: when a heartbeat went out and came in, when the machine answered and when
  /// it was healed.
  @Test func `times that were stored while clocks were ahead keep no machine from being healed`()
    throws
  {
    fleet.clock.set(aheadBySeconds: Self.year)
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    try fleet.lose(for: machine)
    try beat()
    #expect(try fleet.step().sent.count == 1)
    try fleet.lose(for: machine)
    fleet.clock.set(aheadBySeconds: -Self.year)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  @Test func `snapshots of a time when the clock was ahead do not use up those of now`() throws {
    func lose() throws -> Int {
      try FileManager.default.removeItem(atPath: machine.checkout.path)
      fleet.clock.advance(seconds: 700)
      return try fleet.heal()
    }
    fleet.clock.set(aheadBySeconds: Self.year)
    for _ in 0..<3 { #expect(try lose() == 1) }
    try FileManager.default.removeItem(atPath: machine.checkout.path)
    fleet.clock.advance(seconds: 700)
    #expect(try fleet.heal() == 0)
    fleet.clock.set(aheadBySeconds: -Self.year)
    fleet.clock.advance(seconds: 700)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  @Test(arguments: [1, -1])
  func `a step of the clock delays no heartbeat`(direction: Int64) throws {
    try beat()
    let daemon = fleet.daemon
    var running = daemon
    _ = try running.step()
    fleet.clock.set(aheadBySeconds: direction * Self.year)
    #expect(try running.step() <= 60_000)
    #expect(try fleet.sealed(for: machine).count == 1)
  }
}
