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
}
