import Applier
import Foundation
import Git
import Logging
import MessageFormat
import Synchronization
import TestSupport
import Testing

/// What waits for a checkout that this machine could not write to, and what comes in meanwhile.
struct CheckoutFaultTests {
  /// Moves on by 10 ms whenever someone looks.
  private final class TickingClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    func set(_ instant: ContinuousClock.Instant) { time.withLock { $0 = instant } }

    func read() -> ContinuousClock.Instant {
      time.withLock { time in
        time += .milliseconds(10)
        return time
      }
    }
  }

  /// The wait ends while a step is opening messages: those that it still has to open must not pass those that it held.
  @Test func `messages keep their order though the wait ends within a step`() throws {
    let pipeline = try Pipeline.started()
    let clock = TickingClock()
    let worker = worker(of: pipeline, clock)
    for number in 0...20 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
    let messages = try pipeline.sealedMessages()
    try pipeline.deposit(messages[0])
    let end = try waitEnd(of: worker, pipeline)
    for message in messages.dropFirst() { try pipeline.deposit(message) }
    // Who looks once a message comes to the end in the midst of them.
    clock.set(end.advanced(by: .milliseconds(-100)))
    _ = try worker.handleNext()
    #expect(try pipeline.receipts().isEmpty)
    clock.set(end)
    while case .progress = try worker.handleNext() {}
    #expect(try pipeline.receipts().map(\.refusal) == Array(repeating: nil, count: 21))
    try pipeline.expectEqual()
  }

  /// libgit2 locks the file that it writes, which is our copy of the index.
  @Test func `what a killed run has left at our copy of the index keeps nothing waiting`() throws {
    let pipeline = try Pipeline.started()
    for name in ["distro-index", "distro-index.lock"] {
      try Data("left".utf8).write(
        to: URL(fileURLWithPath: pipeline.checkout.path + "/.git/" + name))
    }
    pipeline.restartWorker()
    try pipeline.expectNextPushArrives()
    #expect(
      !FileManager.default.fileExists(
        atPath: pipeline.checkout.path + "/.git/distro-index.lock"))
  }

  /// Or the daemon would look for something to do every millisecond.
  @Test func `wait that is over is not waited for again`() throws {
    let pipeline = try Pipeline.started()
    let clock = TickingClock()
    let worker = worker(of: pipeline, clock)
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    clock.set(try waitEnd(of: worker, pipeline))
    try pipeline.checkout.git("checkout", "-q", "-b", "other")
    var end: ContinuousClock.Instant?? = nil
    for _ in 0..<3 { if case .idle(let next) = try worker.handleNext() { end = next } }
    #expect(try pipeline.receipts().map(\.refusal) == [.branchMismatch])
    #expect(end == .some(nil))
    #expect(worker.fault == nil)
  }

  /// What is gone comes again with everything: there is no revision that a patch could start from.
  @Test func `a checkout whose objects are gone asks for everything and is mended`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let head = try machine.checkout.git("rev-parse", "HEAD")
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    let heartbeat = try #require(try fleet.sealed(for: machine).first)
    try machine.checkout.git("repack", "-q", "-a", "-d")
    let objects = machine.checkout.path + "/.git/objects"
    try FileManager.default.removeItem(atPath: objects + "/pack")
    try FileManager.default.createDirectory(
      atPath: objects + "/pack", withIntermediateDirectories: false)
    try fleet.deposit(heartbeat, at: machine)
    try machine.work()
    #expect(machine.worker.fault == nil)
    #expect(machine.log.count(of: "checkout-blocked") == 0)
    try fleet.heal()
    #expect(try machine.checkout.git("rev-parse", "HEAD") == head)
    try machine.checkout.git("fsck", "--strict")
    try fleet.expectEqual()
  }

  /// A patch that does not touch it needs it all the same, for what the checkout holds.
  /// `reverts`: the checkout has the root of the tree that it is to have, and lacks what that names.
  @Test(arguments: [false, true])
  func `a checkout that has lost a directory of its tree asks for everything and is mended`(
    reverts: Bool
  ) throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let packs = machine.checkout.path + "/.git/objects/pack"
    let others = Set(try FileManager.default.contentsOfDirectory(atPath: packs))
    try fleet.source.commit(["directory/file": "1\n"])
    try fleet.push()
    let lost = try FileManager.default.contentsOfDirectory(atPath: packs)
      .filter { !others.contains($0) }
    try fleet.source.commit(["a": "other\n"])
    try fleet.push()
    #expect(!lost.isEmpty)
    try fleet.source.commit(["a": "one more\n"])
    try fleet.push()
    for name in lost { try FileManager.default.removeItem(atPath: packs + "/" + name) }
    // A new run has not counted it yet.
    try machine.replaceState { _ in }
    try fleet.source.commit(["a": reverts ? "other\n" : "and one more\n"])
    try fleet.push()
    #expect(machine.log.count(of: "checkout-blocked") == 0)
    try fleet.heal()
    // Older revisions are not mended, and git's reflog still names one.
    #expect(try machine.checkout.id() == fleet.source.id())
    #expect(try machine.checkout.status() == "")
    try machine.checkout.git("cat-file", "-e", "HEAD:directory/file")
  }

  /// What a heartbeat sees of it is whole: the commit, and the root of its tree.
  @Test func `a checkout that has lost a directory is mended also where the first try is lost`()
    throws
  {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let packs = machine.checkout.path + "/.git/objects/pack"
    let others = Set(try FileManager.default.contentsOfDirectory(atPath: packs))
    try fleet.source.commit(["directory/file": "1\n"])
    try fleet.push()
    let lost = try FileManager.default.contentsOfDirectory(atPath: packs)
      .filter { !others.contains($0) }
    try fleet.source.commit(["a": "other\n"])
    try fleet.push()
    for name in lost { try FileManager.default.removeItem(atPath: packs + "/" + name) }
    try machine.replaceState { _ in }
    try fleet.source.commit(["a": "one more\n"])
    try fleet.push()
    try fleet.step()
    try fleet.lose(for: machine)
    // Its heartbeats come many times before anything is sent again.
    for _ in 0..<100 {
      fleet.clock.advance(seconds: 60)
      try fleet.step()
      try fleet.deliver()
    }
    #expect(try machine.checkout.id() == fleet.source.id(), "\(machine.log.lines.suffix(9))")
    try machine.checkout.git("cat-file", "-e", "HEAD:directory/file")
  }

  @Test func `message whose file cannot be read waits alone`() throws {
    let pipeline = try Pipeline.started()
    let clock = TickingClock()
    let worker = worker(of: pipeline, clock)
    let large = Data(PatchCases.randomBytes(800_000, seed: 5)).base64EncodedString()
    try pipeline.source.commit(["large": large])
    try pipeline.send()
    let message = try #require(try pipeline.sealedMessages().first)
    try pipeline.transfer()
    let path = pipeline.store.state.spool.path(of: "\(message.id.hex).sealed")
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    var sealed = message
    sealed.chunks[0][0] ^= 1
    try pipeline.deposit(sealed)
    var end: ContinuousClock.Instant?
    for _ in 0..<5 { if case .idle(let next) = try worker.handleNext() { end = next } }
    // The other one is answered, and this one is neither answered nor gone.
    #expect(try pipeline.receipts().map(\.refusal) == [.malformed])
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    clock.set(try #require(end))
    while case .progress = try worker.handleNext() {}
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  private func worker(of pipeline: Pipeline, _ clock: TickingClock) -> Worker {
    Worker(
      pipeline.applierSettings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now },
      sinceBoot: { [clock = pipeline.clock] in clock.sinceBoot }, instant: { clock.read() },
      onAnswer: {})
  }

  /// What lies in the inbox waits: someone else holds the checkout.
  private func waitEnd(
    of worker: Worker, _ pipeline: Pipeline
  ) throws -> ContinuousClock.Instant {
    let lock = try CheckoutLock(gitDirectory: pipeline.checkout.path + "/.git")
    var end: ContinuousClock.Instant?
    for _ in 0..<3 { if case .idle(let next) = try worker.handleNext() { end = next } }
    _ = consume lock
    #expect(worker.fault?.path == pipeline.checkout.path)
    return try #require(end)
  }
}
