import CarrierProtocol
import DirectoryCarrier
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Synchronization
import TestSupport
import Testing

/// A directory on something that is mounted and unmounted while the carrier runs, and messages of any size.
struct DirectoryMountTests {
  private final class States: Sendable {
    private let failures = Mutex<[CarrierError]>([])

    var last: CarrierError? { failures.withLock { $0.last } }
    var count: Int { failures.withLock { $0.count } }

    func note(_ state: CarrierState) {
      if case .failed(let error) = state { failures.withLock { $0.append(error) } }
    }
  }

  private func start(
    _ user: DirectoryUser, with other: DirectoryUser, at path: String, _ states: States
  ) throws -> CarrierSet {
    var port = user.port(with: [other])
    port.stateChanged = { states.note($0) }
    var timeouts = ExchangeTimeouts()
    timeouts.pauses = (.milliseconds(20), .milliseconds(20))
    let plan = DirectoryPlan(path: path, pollInterval: .milliseconds(20))
    let carriers = CarrierSet()
    try carriers.start(
      plan.carrier(for: user.identity, peers: [], timeouts: timeouts, log: port.log), port
    ) { error in preconditionFailure("\(error)") }
    return carriers
  }

  @Test(.enabled(if: SmallDisk.isAllowed))
  func `a stick can be unmounted between two looks, and its empty mount point stays empty`() throws
  {
    let folder = try TemporaryFolder()
    let world = try DirectoryWorld(in: folder.path)
    let (mountPoint, files) = (folder.path + "/mount", FileManager.default)
    try files.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
    func mount() throws {
      try Program.run(["mount", "--bind", world.stick, mountPoint], home: folder.path)
    }
    func unmount() -> Bool {
      do {
        try Program.run(["umount", mountPoint], home: folder.path)
        return true
      } catch {
        return false
      }
    }
    try mount()
    let states = States()
    let carriers = try start(world.alice, with: world.bob, at: mountPoint, states)
    defer { carriers.stop() }
    for number in 1...3 {
      try world.alice.put(world.letter(UInt32(number)), for: world.bob)
      carriers.outgoingChanged()
      #expect(becomesTrue { world.alice.current.delivered.count == number })
      // Busy only while it is looked at.
      #expect(becomesTrue { unmount() })
      #expect(becomesTrue { states.count == number })
      #expect("\(try #require(states.last))".contains("not mounted, or not prepared"))
      #expect(try files.contentsOfDirectory(atPath: mountPoint).isEmpty)
      try mount()
    }
    carriers.stop()
    #expect(unmount())
    try world.collect()
    #expect(world.bob.current.accepted.count == 3)
  }

  private static func carryLarge(in path: String) throws {
    let world = try DirectoryWorld(in: path)
    let chunkCount: UInt32 = 512
    let head = world.letter(1).chunks[..<2]
    let chunk = [UInt8](repeating: 1, count: Limits.chunkByteCountMax)
    let size = SealedSize(
      chunkCount: 2 + chunkCount,
      byteCount: UInt64(head[0].count + head[1].count + Int(chunkCount) * chunk.count))
    let message = try MessageWriter(
      DepositOffer(id: world.letter(1).id, mailboxes: [world.bob.mailbox], size: size),
      from: world.alice.mailbox, into: world.alice.store)
    for part in head { try message.append(part) }
    for _ in 0..<chunkCount { try message.append(chunk) }
    try world.alice.store.commit([message], at: Timestamp(milliseconds: 1_000))
    let before = try memory("VmRSS:")
    try world.send()
    let other = path + "/other"
    try DirectoryWorld.make(other)
    let report = try Carrying(from: world.stick, to: other).run(at: 1_800_000_000)
    try world.collect(from: other)
    let growth = try memory("VmHWM:") - before
    precondition(report.messageCount == 1 && world.bob.current.accepted.count == 1)
    precondition(growth < 24 << 20, "memory grew by \(growth) bytes")
  }

  /// A line of proc(5)'s status, in bytes.
  private static func memory(_ name: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
    let kilobytes = try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) })
    return kilobytes * 1_024
  }

  /// 64 MiB, in a process of its own, whose memory nothing else uses.
  @Test func `memory stays flat whatever a message's size`() async throws {
    let folder = try TemporaryFolder()
    await #expect(processExitsWith: .success) { [path = folder.path as String] in
      try Self.carryLarge(in: path)
    }
  }
}
