import Host
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Nothing is discarded since a clock jumped; what is too old is, in the end.
@Suite struct StoreClockTests {
  private static let day: UInt64 = 86_400_000
  private static let year = Int64(365 * day)

  private let clock = MachineTime()
  private let alice = Mailbox(repeating: 1)
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A run of the program.
  private func run() throws -> Store { try Store(in: folder, sinceBoot: clock.sinceBoot) }

  private func deposit(_ number: UInt32, in test: Store) throws {
    try test.store.commit([test.incoming(Letter(number), for: [alice])], at: clock.wall)
  }

  private func sweep(_ test: Store) throws -> Int {
    try test.store.sweep(at: clock.wall).messageCount
  }

  @Test(arguments: [1, -1])
  func `a step of the wall clock discards nothing`(direction: Int64) throws {
    let test = try run()
    try deposit(1, in: test)
    clock.advance(milliseconds: Self.day)
    clock.step(milliseconds: direction * Self.year)
    #expect(try sweep(test) == 0)
    #expect(try test.store.usage(of: alice, as: .mailbox).ageMilliseconds == Self.day)
    // What comes while the clock is wrong, and after it was set right.
    try deposit(2, in: test)
    clock.step(milliseconds: -direction * Self.year)
    try deposit(3, in: test)
    clock.advance(milliseconds: 89 * Self.day)
    #expect(try sweep(test) == 0)
    clock.advance(milliseconds: Self.day + 1)
    #expect(try sweep(test) == 1)
    #expect(try test.ids(in: alice) == [Letter(2).id, Letter(3).id])
    clock.advance(milliseconds: Self.day)
    #expect(try sweep(test) == 2)
  }

  @Test(arguments: [1, -1])
  func `a step of the wall clock between two runs discards nothing`(direction: Int64) throws {
    try deposit(1, in: run())
    clock.step(milliseconds: direction * Self.year)
    clock.advance(milliseconds: 90 * Self.day)
    #expect(try sweep(run()) == 0)
    clock.step(milliseconds: -direction * Self.year)
    #expect(try sweep(run()) == 0)
    clock.advance(milliseconds: Self.day + 1)
    #expect(try sweep(run()) == 1)
  }

  @Test(arguments: [1, -1])
  func `a step of the wall clock while the machine is off discards nothing`(
    direction: Int64
  ) throws {
    try deposit(1, in: run())
    clock.advance(milliseconds: 89 * Self.day)
    #expect(try sweep(run()) == 0)
    clock.reboot()
    clock.step(milliseconds: direction * Self.year)
    #expect(try sweep(run()) == 0)
    clock.reboot()
    clock.step(milliseconds: -direction * Self.year)
    #expect(try sweep(run()) == 0)
    clock.advance(milliseconds: 2 * Self.day)
    #expect(try sweep(run()) == 1)
  }

  /// A laptop that is on for half of the day.
  @Test func `what is too old is discarded in the end on a machine that is off each night`() throws
  {
    try deposit(1, in: run())
    for _ in 0..<181 {
      clock.advance(milliseconds: Self.day / 2)
      #expect(try sweep(run()) == 0)
      clock.reboot(pause: Self.day / 2)
    }
    clock.advance(milliseconds: Self.day)
    #expect(try sweep(run()) == 1)
  }

  @Test func `a state that comes to a machine that has been up for years is no older`() throws {
    try deposit(1, in: run())
    clock.reboot(uptime: 60_000)
    clock.reboot(uptime: 3 * UInt64(Self.year))
    clock.step(milliseconds: -3 * Self.year)
    #expect(try sweep(run()) == 0)
    let age = try #require(try run().store.usage(of: alice, as: .mailbox).ageMilliseconds)
    #expect(age <= 120_000)
  }

  @Test func `what is discarded is told with its mailboxes`() throws {
    let test = try run()
    let holders = (1...10).map { Mailbox(repeating: $0) }
    try test.store.commit([test.incoming(Letter(1), for: holders)], at: clock.wall)
    clock.advance(milliseconds: Limits.storedMillisecondsMax + 1)
    let swept = try test.store.sweep(at: clock.wall)
    #expect(swept.messageCount == 1)
    #expect(swept.mailboxes == Set(holders))
    #expect(swept.mailboxText.hasSuffix("080808080808 and 2 more"))
    #expect("\(swept.fields["count"] ?? "")" == "1")
  }
}
