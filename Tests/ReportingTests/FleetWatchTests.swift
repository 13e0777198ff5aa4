import GitModel
import MessageFormat
import Reporting
import Testing

/// What people are told between one look at a machine and the next, without a fleet.
@Suite struct FleetWatchTests {
  private typealias Told = FleetWatch.Told

  private let stream: StreamName
  private let mailbox: Mailbox
  private let watch: FleetWatch

  init() throws {
    stream = StreamName(
      remote: try RemoteName("git@example.org:shop.git"),
      branch: try #require(BranchName("main")))
    mailbox = try #require(Mailbox(Array(repeating: 1, count: 32)))
    // Revisions are numbers, and a smaller one is an ancestor; from 100 on is another history.
    watch = FleetWatch(
      staleSeconds: 600, now: Timestamp(milliseconds: 1),
      history: .init { from, to, _ in
        to.hex < from.hex && (to.hex.hasSuffix("64") == from.hex.hasSuffix("64"))
      } subject: { _, _ in
        "subject"
      })
  }

  private func machine(
    _ progress: MachineState.Progress, at revision: Int = 1, refused: UInt8? = nil,
    isUnseen: Bool = false
  ) -> MachineState {
    MachineState(
      stream: stream, mailbox: mailbox, name: "web1", head: FleetFixture.revision(revision),
      sequence: UInt64(revision), progress: progress,
      refusedMessage: refused.flatMap { MessageID(Array(repeating: $0, count: 32)) },
      isUnseen: isUnseen)
  }

  private func events(
    _ machine: MachineState, _ told: inout Told, age: Duration = .zero, isSilent: Bool = false
  ) -> [NoticeKind] {
    watch.events(of: machine, age: age, isSilent: isSilent, told: &told).map(\.kind)
  }

  @Test func `each revision is told once`() {
    var told = Told()
    #expect(events(machine(.pending("")), &told) == [])
    #expect(events(machine(.applied), &told) == [.applied])
    #expect(events(machine(.applied), &told) == [])
    #expect(events(machine(.applied, at: 2), &told) == [.applied])
    #expect(told == Told(applied: FleetFixture.revision(2)))
  }

  @Test func `a branch that was set back to an ancestor is rolled back`() {
    var told = Told(applied: FleetFixture.revision(3))
    #expect(events(machine(.applied, at: 2), &told) == [.rolledBack])
    #expect(events(machine(.applied, at: 3), &told) == [.applied])
  }

  @Test func `another history is not a way back`() {
    var told = Told(applied: FleetFixture.revision(200))
    #expect(events(machine(.applied, at: 100), &told) == [.applied])
  }

  @Test func `a refused message is told once, and the next one again`() {
    var told = Told()
    let refused = machine(.refused(name: "local-changes"), refused: 1)
    let all = watch.events(of: refused, age: .zero, isSilent: false, told: &told)
    #expect(all.map(\.kind) == [.refused] && all.map(\.reason) == ["local-changes"])
    #expect(all.map(\.subject) == ["web1"] && all.map(\.commit) == ["subject"])
    #expect(events(refused, &told) == [])
    #expect(events(machine(.refused(name: "local-changes"), refused: 2), &told) == [.refused])
  }

  @Test func `a refusal ends with what is applied`() {
    var told = Told()
    _ = events(machine(.refused(name: "x"), refused: 1), &told)
    #expect(events(machine(.pending(""), at: 2), &told, age: .seconds(9_999)) == [])
    #expect(events(machine(.applied, at: 2), &told) == [.applied, .recovered])
    #expect(events(machine(.applied, at: 2), &told) == [])
  }

  @Test func `a machine that stays behind is stale once, and recovers`() {
    var told = Told()
    let pending = machine(.pending("on its way"))
    #expect(events(pending, &told, age: .seconds(599)) == [])
    #expect(events(pending, &told, age: .seconds(600)) == [.stale])
    #expect(events(pending, &told, age: .seconds(9_999)) == [])
    #expect(events(machine(.applied), &told) == [.applied, .recovered])
  }

  @Test func `a stale machine that refuses is told of as refusing`() {
    var told = Told()
    _ = events(machine(.pending("")), &told, age: .seconds(600))
    #expect(events(machine(.refused(name: "x"), refused: 1), &told) == [.refused])
    #expect(!told.isStale)
  }

  @Test func `silence is told when it has lasted, and its end`() {
    var told = Told(applied: FleetFixture.revision(1))
    let unseen = machine(.applied, isUnseen: true)
    #expect(events(unseen, &told, isSilent: false) == [])
    #expect(events(unseen, &told, isSilent: true) == [.unseen])
    #expect(events(unseen, &told, isSilent: true) == [])
    #expect(events(machine(.applied), &told) == [.recovered])
    #expect(events(machine(.applied), &told) == [])
  }

  @Test func `a silent machine is not called stale as well`() {
    var told = Told()
    let unseen = machine(.pending(""), isUnseen: true)
    #expect(events(unseen, &told, age: .seconds(9_999), isSilent: true) == [.unseen])
    #expect(events(machine(.pending("")), &told, age: .seconds(9_999)) == [.recovered])
    #expect(events(machine(.pending("")), &told, age: .seconds(9_999)) == [.stale])
  }
}
