import Applier
import Foundation
import Git
import GitModel
import Glibc
import Logging
import Mailboxes
import MessageFormat
import Signer
import Synchronization
import TestSupport
import Testing

/// Two checkouts of one machine, one of them on a disk of a few MiB.
@Suite(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
struct FullDiskTests {
  private static let diskByteCount = 6 << 20

  private let pipeline: Pipeline
  private let other: CheckoutSettings
  private let disk: String

  init() throws {
    pipeline = try Pipeline()
    disk = pipeline.checkout.path
    let main = try #require(pipeline.applierSettings.checkouts.first)
    other = CheckoutSettings(
      stream: StreamName(remote: RemoteName(known: "other"), branch: pipeline.main),
      path: pipeline.folder.path("other-live"), onLocalChanges: .refuse, unusualPaths: .refuse,
      symbolicLinks: .inside, signers: main.signers, staleAfterSeconds: nil)
  }

  private var settings: ApplierSettings {
    ApplierSettings(
      identity: pipeline.applierSettings.identity, state: pipeline.applierSettings.state,
      trustedSigners: pipeline.applierSettings.trustedSigners,
      checkouts: pipeline.applierSettings.checkouts + [other],
      deadline: pipeline.applierSettings.deadline)
  }

  /// Minutes pass whenever someone looks, so that no fault is too young to be told.
  private func worker(_ onPhase: @escaping PhaseObserver = { _ in }) -> Worker {
    let time = Mutex(ContinuousClock.now)
    return Worker(
      settings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now },
      instant: {
        time.withLock { time in
          time += .seconds(20)
          return time
        }
      }, onAnswer: {}, onPhase: onPhase)
  }

  private func work(_ worker: Worker, looks: Int = 12) throws {
    for _ in 0..<looks { _ = try worker.handleNext() }
  }

  /// The same branch, as another remote's.
  private func pushToOther() throws {
    let configured = SignerRepository(
      path: pipeline.source.path, remote: other.stream.remote, branches: [pipeline.main],
      recipients: [pipeline.applier.public], history: .tip)
    let sending = Sending(
      pipeline.signerSettings, outbox: pipeline.outbox, progress: .init { _, _, _ in }
    ) { pipeline.clock.now }
    _ = try sending.send(pipeline.main, of: configured, from: .whereRecipientsAre, to: nil)
    try pipeline.transfer()
  }

  private func fill() throws -> (before: ObjectID, tooLarge: ObjectID) {
    let before = try pipeline.source.commit(["a": "1\n"])
    try pipeline.push()
    let noise = Data(PatchCases.randomBytes(4 << 20, seed: 3)).base64EncodedString()
    let tooLarge = try pipeline.source.commit(["a": "2\n", "large": noise])
    try pipeline.send()
    try pipeline.transfer()
    return (before, tooLarge)
  }

  /// To the last page.
  private static func fill(_ path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o644)
    defer { close(descriptor) }
    let page = [UInt8](repeating: 0, count: 4_096)
    while unsafe write(descriptor, page, page.count) == page.count {}
    try #require(errno == ENOSPC)
  }

  private func usedByteCount() throws -> Int {
    try FileManager.default.subpathsOfDirectory(atPath: disk).reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: disk + "/" + name)
      let isFile = attributes[.type] as? FileAttributeType == .typeRegular
      return sum + (isFile ? attributes[.size] as? Int ?? 0 : 0)
    }
  }

  private func expectBlocked(_ before: ObjectID, _ used: Int) throws {
    let receipts = try pipeline.receipts()
    #expect(
      receipts.contains { if case .blocked(.diskFull, _) = $0.outcome { true } else { false } })
    #expect(try pipeline.checkout.id() == before && pipeline.checkout.status() == "")
    #expect(try usedByteCount() <= used + 4_096)
    try pipeline.expectNothingLeft()
    // The other checkout goes on.
    try pushToOther()
    try work(worker())
    let checkout = PipelineRepository(at: other.path, in: pipeline.folder)
    #expect(try checkout.id() == pipeline.source.id() && checkout.status() == "")
  }

  private func expectAppliedWithRoom() throws {
    try Program.run(
      ["mount", "-o", "remount,size=64M", disk], home: pipeline.folder.path)
    try work(worker())
    #expect(try pipeline.receipts().contains { $0.refusal == nil })
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
  }

  @Test func `a commit that does not fit is blocked, leaves nothing, and is applied with room`()
    throws
  {
    try SmallDisk.mount(on: disk, byteCount: Self.diskByteCount, home: pipeline.folder.path) {
      let (before, _) = try fill()
      let used = try usedByteCount()
      try work(worker())
      try expectBlocked(before, used)
      try expectAppliedWithRoom()
    }
  }

  /// What the sizes did not tell: someone else fills the disk while the step is made.
  @Test(arguments: [StepPhase.prepared, .locked, .kept, .recorded, .exchanged])
  func `a disk that runs full within a step is left with nothing of ours`(
    phase: StepPhase
  ) throws {
    try SmallDisk.mount(on: disk, byteCount: Self.diskByteCount, home: pipeline.folder.path) {
      let before = try pipeline.source.commit(["a": "1\n"])
      try pipeline.push()
      try pipeline.source.commit(["a": "2\n", "new/file": "2\n"])
      try pipeline.send()
      try pipeline.transfer()
      let used = try usedByteCount()
      let filler = disk + "/filler"
      try work(
        worker { now in
          guard now == phase else { return }
          try Self.fill(filler)
        })
      try FileManager.default.removeItem(atPath: filler)
      if try pipeline.checkout.id() == before {
        #expect(try pipeline.checkout.status() == "")
        #expect(try usedByteCount() <= used + 4_096)
        try pipeline.expectNothingLeft()
      }
      pipeline.restartWorker()
      try pipeline.work()
      try pipeline.expectEqual()
      try pipeline.expectNothingLeft()
    }
  }

  @Test(arguments: [StepPhase.prepared, .kept, .exchanged])
  func `what a kill leaves on a small disk is removed by the next start`(
    phase: StepPhase
  ) async throws {
    let folder = pipeline.folder
    try Program.run(["mkdir", "-p", disk], home: folder.path)
    try Program.run(
      ["mount", "-t", "tmpfs", "-o", "size=\(Self.diskByteCount)", "tmpfs", disk],
      home: folder.path)
    let before = try pipeline.source.commit(["a": "1\n"])
    try pipeline.push()
    let noise = Data(PatchCases.randomBytes(1 << 20, seed: 3)).base64EncodedString()
    try pipeline.source.commit(["a": "2\n", "large": noise])
    try pipeline.send()
    try pipeline.transfer()
    let used = try usedByteCount()
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = folder.path as String, phase = phase.rawValue as String] in
      let pipeline = try Pipeline(in: PipelineFolder(existing: path))
      pipeline.restartWorker { if $0.rawValue == phase { Glibc.kill(getpid(), SIGKILL) } }
      try pipeline.work()
    }
    // Now nothing fits any more.
    let filler = disk + "/filler"
    try Self.fill(filler)
    try work(worker())
    #expect(try pipeline.checkout.id() == before && pipeline.checkout.status() == "?? filler")
    try FileManager.default.removeItem(atPath: filler)
    #expect(try usedByteCount() <= used + 4_096)
    pipeline.restartWorker()
    try pipeline.work()
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
    try Program.run(["umount", "-l", disk], home: folder.path)
  }
}
