import Foundation
import GitModel
import MessageFormat
import Signer
import Synchronization
import TestSupport
import Testing

/// Whatever runs at once, and whoever is overtaken: in the end a branch's tip is what was sent last and what all have.
@Suite(.serialized) struct TipTests {
  private let folder: PipelineFolder
  private let source: PipelineRepository

  init() throws {
    folder = try PipelineFolder()
    source = try PipelineRepository(making: folder.path("source"), in: folder)
  }

  private func fleet(_ state: String = "state", machineCount: Int = 2) throws -> ModelFleet {
    try ModelFleet(
      source: source.path, state: folder.path(state), machineCount: machineCount)
  }

  /// So much that nothing can compress, and a patch cannot say.
  private func commit(kibibytes: Int, seed: UInt64) throws -> ObjectID {
    var generator = SeededGenerator(seed: seed)
    try Data(generator.bytes(kibibytes << 10)).write(
      to: URL(fileURLWithPath: source.path + "/large"))
    return try source.commit(["small": "\(seed)\n"])
  }

  private func reset(_ revision: ObjectID) throws {
    try source.git("update-ref", "refs/heads/main", revision.hex)
  }

  /// What happens in the middle of another run's pack, once.
  private func once(_ body: @escaping @Sendable () throws -> Void)
    -> @Sendable (SendProgress.Step)
    -> Void
  {
    let isDone = Mutex(false)
    return { step in
      guard step == .packing, isDone.withLock({ exchange(&$0, true) }) == false else { return }
      do { try body() } catch { Issue.record(error) }
    }
  }

  private func exchange(_ value: inout Bool, _ new: Bool) -> Bool {
    defer { value = new }
    return value
  }

  @Test func `a push that comes while another one packs is what stays`() throws {
    let first = try commit(kibibytes: 1, seed: 1)
    let slow = try commit(kibibytes: 2_000, seed: 2)
    let quick = try commit(kibibytes: 1, seed: 3)
    try reset(first)
    let fleet = try fleet()
    try fleet.send()
    try fleet.deliver()
    try reset(slow)
    let source = source
    try fleet.send(
      progress: once {
        try source.git("update-ref", "refs/heads/main", quick.hex)
        try fleet.send()
        try fleet.deliver()
      })
    #expect(try fleet.head() == quick)
    try fleet.deliver()
    #expect(fleet.machines.allSatisfy { $0.snapshot?.revision == quick })
    #expect(try fleet.beat().sent.isEmpty)
  }

  @Test func `a branch that moves while it is packed is sent from where it is then`() throws {
    let first = try commit(kibibytes: 1, seed: 1)
    let slow = try commit(kibibytes: 2_000, seed: 2)
    try reset(first)
    let fleet = try fleet()
    try fleet.send()
    try reset(slow)
    // Nobody tells of it but the branch itself.
    let source = source
    let outcome = try fleet.send(
      progress: once { try source.git("update-ref", "refs/heads/main", first.hex) })
    #expect(outcome.sent.isEmpty)
    #expect(try fleet.head() == first)
  }

  @Test func `healing that a push overtakes begins anew from the new head`() throws {
    let first = try commit(kibibytes: 1_000, seed: 1)
    let next = try commit(kibibytes: 1_000, seed: 2)
    try reset(first)
    let fleet = try fleet()
    try fleet.send()
    try fleet.deliver()
    fleet.machines[1].lose()
    try fleet.beat()
    try fleet.deliver()
    let source = source
    try fleet.beat(
      progress: once {
        try source.git("update-ref", "refs/heads/main", next.hex)
        try fleet.send()
      })
    #expect(try fleet.head() == next)
    for _ in 0..<3 {
      try fleet.deliver()
      try fleet.beat()
    }
    #expect(fleet.machines.allSatisfy { $0.snapshot?.revision == next })
    #expect(try fleet.head() == next)
  }

  @Test func `an older revision that is asked for is refused unless the branch is there`() throws {
    let first = try commit(kibibytes: 1, seed: 1)
    let next = try commit(kibibytes: 1, seed: 2)
    let fleet = try fleet()
    try fleet.send()
    try fleet.deliver()
    let configured = fleet.settings.repositories[0]
    #expect {
      try fleet.sending().send(fleet.main, of: configured, to: first.hex)
    } throws: {
      if case .goingBack(_, first, next) = $0 as? SignerError { true } else { false }
    }
    try reset(first)
    _ = try fleet.sending().send(fleet.main, of: configured, to: first.hex)
    #expect(try fleet.head() == first)
  }

  // MARK: - Many at once

  private static let roundCount =
    ProcessInfo.processInfo.environment["DISTRO_TIP_COUNT"].flatMap { Int($0) } ?? 20

  @Test(.timeLimit(.minutes(180)))
  func `many pushes at once beside healing and a daemon end at the tip`() throws {
    var revisions: [ObjectID] = []
    for (number, size) in [1, 60, 1, 400, 20, 1, 150, 8].enumerated() {
      revisions.append(try commit(kibibytes: size, seed: UInt64(number)))
    }
    // And a history beside it, as after a forced push.
    try source.git("checkout", "-q", "-b", "beside", revisions[2].hex)
    for (number, size) in [1, 120, 2].enumerated() {
      revisions.append(try commit(kibibytes: size, seed: UInt64(100 + number)))
    }
    try source.git("checkout", "-q", "--detach")
    let seed =
      ProcessInfo.processInfo.environment["DISTRO_TIP_SEED"].flatMap { UInt64($0) } ?? 1
    for round in 0..<Self.roundCount {
      try PushRace(
        seed: seed + UInt64(round), source: source, revisions: revisions,
        fleet: fleet("state-\(round)", machineCount: 3)
      ).run()
      try FileManager.default.removeItem(atPath: folder.path("state-\(round)"))
    }
  }
}

/// One round: pushes one after the other, each with its hook beside the others; heartbeats, healing and a carrier beside
/// them all.
private struct PushRace {
  let seed: UInt64
  let source: PipelineRepository
  let revisions: [ObjectID]
  let fleet: ModelFleet

  func run() throws {
    var generator = SeededGenerator(seed: seed)
    var pushes = [revisions[Int.random(in: 0..<3, using: &generator)]]
    for _ in 0..<Int.random(in: 3...6, using: &generator) {
      pushes.append(revisions.randomElement(using: &generator) ?? revisions[0])
    }
    let loser = fleet.machines.randomElement(using: &generator)
    let pauses = pushes.map { _ in Int.random(in: 0...40, using: &generator) }
    try push(pushes[0])
    try hook(pushes[0])
    try fleet.deliver()
    let isOver = Flag()
    let failures = Mutex<[String]>([])
    @Sendable func perform(_ what: String, _ body: () throws -> Void) {
      do { try body() } catch { failures.withLock { $0.append("\(what): \(error)") } }
    }
    let threads = Threads()
    threads.start {
      perform("heal") {
        let outbox = try fleet.outbox()
        while !isOver.isSet { try fleet.beat(outbox) }
      }
    }
    threads.start {
      perform("carry") {
        let outbox = try fleet.outbox()
        while !isOver.isSet { try fleet.deliver(outbox) }
      }
    }
    let hooks = Threads()
    for (revision, pause) in zip(pushes, pauses).dropFirst() {
      try push(revision)
      hooks.start { perform("hook") { try hook(revision) } }
      for _ in 0..<pause * 50 { sched_yield() }
    }
    hooks.join()
    isOver.set()
    threads.join()
    loser?.lose()
    #expect(failures.withLock { $0 } == [], "seed \(seed)")
    let tip = try source.id("main")
    #expect(try fleet.head() == tip, "seed \(seed)")
    var isSettled = false
    for _ in 0..<12 where !isSettled {
      try fleet.beat()
      try fleet.deliver()
      isSettled = fleet.machines.allSatisfy { $0.snapshot?.revision == tip }
    }
    #expect(isSettled, "seed \(seed)")
    #expect(try fleet.head() == tip, "seed \(seed)")
  }

  private func push(_ revision: ObjectID) throws {
    try source.git("update-ref", "refs/heads/main", revision.hex)
  }

  private func hook(_ revision: ObjectID) throws {
    let push = Push(before: .zero, after: revision, ref: "refs/heads/main")
    do {
      _ = try fleet.sending().send(push, on: fleet.main, of: fleet.settings.repositories[0])
    } catch let error as SignerError where error.isOvertaken {}
  }
}

private final class Flag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .acquiring) }

  func set() { value.store(true, ordering: .releasing) }
}

/// Threads of their own, which may block.
private final class Threads: @unchecked Sendable {
  private let group = DispatchGroup()

  func start(_ body: @escaping @Sendable () -> Void) {
    group.enter()
    let thread = Thread { [group] in
      body()
      group.leave()
    }
    thread.stackSize = 4 << 20
    thread.start()
  }

  func join() { group.wait() }
}
