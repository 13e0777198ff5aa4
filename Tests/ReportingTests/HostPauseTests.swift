import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

/// A code host that asks us to wait.
@Suite struct HostPauseTests {
  @Test(arguments: [429, 403, 503])
  func `a host that asks for time gets it`(_ status: Int) async throws {
    let times = Mutex<[ContinuousClock.Instant]>([])
    let receiver = try HTTPReceiver { _ in
      let number = times.withLock { times in
        times.append(.now)
        return times.count
      }
      return number == 1 ? .answer(status, headers: ["Retry-After": "3"]) : .answer(201)
    }
    let fleet = try await FleetFixture(["web1"])
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [fleet.target(.gitea, receiver.url, machines: false)])
    let isTold = try await becomesTrueLater { times.withLock { $0.count } == 2 }
    try #require(isTold)
    #expect(times.withLock { $0[1] - $0[0] } >= .seconds(3))
    #expect(fleet.log.lines.contains { $0.contains("status-delayed") })
  }

  @Test func `what a host asks for counts after a restart as well`() async throws {
    let receiver = try HTTPReceiver { _ in .answer(429, headers: ["Retry-After": "4"]) }
    let fleet = try await FleetFixture(["web1"])
    let target = try fleet.target(.gitea, receiver.url, machines: false)
    try fleet.push(FleetFixture.revision(1))
    let begin = ContinuousClock.now
    try await fleet.start(statuses: [target])
    try await requireLog(fleet) { lines in lines.contains { $0.contains("status-delayed") } }
    receiver.answer { _ in .answer(201) }
    try await fleet.start(statuses: [target])
    try await requireLog(fleet) { lines in lines.contains { $0.contains("status-sent") } }
    // The wall clock, which a restart has to use, and this one differ by little.
    #expect(.now - begin >= .milliseconds(3_900))
    #expect(receiver.requests.count == 2)
  }

  @Test func `a pause that a wrong clock has stored counts for nothing`() async throws {
    let receiver = try HTTPReceiver { _ in .answer(429, headers: ["Retry-After": "3600"]) }
    let fleet = try await FleetFixture(["web1"])
    let target = try fleet.target(.gitea, receiver.url, machines: false)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [target])
    try await requireLog(fleet) { lines in lines.contains { $0.contains("status-delayed") } }
    try await fleet.stop()
    try fleet.reporting { try $0.execute(sql: "UPDATE pause SET until = until + 3600000") }
    receiver.answer { _ in .answer(201) }
    try await fleet.start(statuses: [target])
    try await requireLog(fleet) { lines in lines.contains { $0.contains("status-sent") } }
  }
}
