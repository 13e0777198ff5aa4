import Applier
import Foundation
import Git
import GitModel
import Host
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import Synchronization
import TestSupport
import Testing

/// A time that only the test moves.
final class TestClock: Sendable {
  private let time = Mutex(Timestamp(milliseconds: 1_700_000_000_000))
  private let boot = Mutex("boot")
  private let uptime = Mutex<UInt64>(1_000_000)

  var now: Timestamp { time.withLock { $0 } }

  /// The clock that nobody sets.
  var sinceBoot: BootTime {
    BootTime(boot: boot.withLock { $0 }, milliseconds: uptime.withLock { $0 })
  }

  func reboot() {
    boot.withLock { $0 += "'" }
    uptime.withLock { $0 = 1_000 }
  }

  var moment: Moment { Moment(wall: now, sinceBoot: sinceBoot) }

  func advance(seconds: UInt64) {
    time.withLock { $0 = $0.adding(milliseconds: 1_000 * seconds) }
    uptime.withLock { $0 += 1_000 * seconds }
  }

  /// Somebody sets the clock on the wall.
  func set(aheadBySeconds seconds: Int64) {
    time.withLock { time in
      let milliseconds = Int64(time.milliseconds) + 1_000 * seconds
      time = Timestamp(milliseconds: UInt64(milliseconds))
    }
  }
}

/// Counts how often an applier has said that there are answers to collect.
final class AnswerCount: Sendable {
  private let value = Mutex(0)

  var isZero: Bool { value.withLock { $0 == 0 } }

  func increment() { value.withLock { $0 += 1 } }

  func reset() { value.withLock { $0 = 0 } }
}

/// What a pipeline's two configurations say.
struct PipelineOptions {
  var history = SignerRepository.History.tip
  var onLocalChanges = CheckoutSettings.LocalChanges.refuse
  var onGoingBack = CheckoutSettings.GoingBack.apply
  var unusualPaths = CheckoutSettings.UnusualPaths.refuse
  var symbolicLinks = CheckoutSettings.SymbolicLinks.inside
  var source = ["--initial-branch=main"]
  /// Trusted by the applier as well; not by its checkout.
  var others: [Identity] = []
  /// Trusted by both.
  var partners: [Identity] = []
  var memory = OutboxMemory()
  var sourceLimits = TreeLimits()
  var checkoutLimits = TreeLimits()
  var largeFiles = SignerRepository.LargeFiles.pointers
  var submodules = SignerRepository.Submodules.pin
  var commands = CheckoutCommands.none
  var layout = CheckoutLayout.inPlace
  var policy = CheckoutPolicy.everything
}

/// Both halves in one process, on real repositories: what the signer seals is moved from its outbox into the applier's
/// inbox without a socket between, and the receipts back.
final class Pipeline {
  static let remote = RemoteName(known: "git@example.org:acme/shop.git")

  let folder: PipelineFolder
  let clock = TestClock()
  let answerCount = AnswerCount()
  let signer: Identity
  let applier: Identity
  let source: PipelineRepository
  let checkout: PipelineRepository
  let outbox: Outbox
  let store: MailboxStore
  let configured: SignerRepository
  let applierSettings: ApplierSettings
  let signerSettings: SignerSettings
  private let outgoing: MailboxStore
  private let sending: Sending
  private(set) var worker: Worker
  let main: BranchName
  var stream: StreamName { StreamName(remote: Self.remote, branch: main) }
  /// The last message of the stream that was made by hand.
  var forged: (sequence: UInt64, digest: ContentDigest)?

  convenience init(_ options: PipelineOptions = PipelineOptions()) throws {
    try self.init(options, in: PipelineFolder(), makingSource: true)
  }

  /// Goes on, unless the source is to be made, with what an earlier one has left in the folder.
  init(
    _ options: PipelineOptions = PipelineOptions(), in folder: PipelineFolder,
    makingSource: Bool = false
  ) throws {
    self.folder = folder
    signer = try TestIdentity.make("signer")
    applier = try TestIdentity.make("web1")
    guard let main = BranchName("main") else { throw CocoaError(.coderInvalidValue) }
    self.main = main
    source =
      makingSource
      ? try PipelineRepository(
        making: folder.path("source"), in: folder, options: options.source)
      : PipelineRepository(at: folder.path("source"), in: folder)
    let live = folder.path("live")
    checkout = PipelineRepository(
      at: options.layout == .inPlace ? live : live + "/current", in: folder)
    configured = SignerRepository(
      path: source.path, remote: Self.remote, branches: [main], recipients: [applier.public],
      history: options.history, limits: options.sourceLimits, largeFiles: options.largeFiles,
      submodules: options.submodules)
    signerSettings = SignerSettings(
      identity: signer, state: folder.path("signer"), carriers: [], repositories: [configured],
      lifetimeMilliseconds: 86_400_000)
    outbox = try Outbox(
      directory: signerSettings.state, memory: options.memory)
    outgoing = try MailboxStore(state: StateDatabase.signer(directory: signerSettings.state))
    let clock = clock
    sending = Sending(signerSettings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
    applierSettings = ApplierSettings(
      identity: applier, state: folder.path("web1"),
      trustedSigners: ([signer] + options.others + options.partners).map(\.public),
      checkouts: [
        CheckoutSettings(
          stream: StreamName(remote: Self.remote, branch: main), path: live,
          onLocalChanges: options.onLocalChanges, onGoingBack: options.onGoingBack,
          unusualPaths: options.unusualPaths, symbolicLinks: options.symbolicLinks,
          signers: Set(([signer] + options.partners).map(\.public.mailbox)),
          staleAfterSeconds: nil, limits: options.checkoutLimits, commands: options.commands,
          layout: options.layout,
          policy: options.policy)
      ], deadline: .seconds(300))
    store = try MailboxStore(state: StateDatabase.applier(directory: applierSettings.state))
    worker = Self.worker(applierSettings, store, clock, answerCount)
  }

  private static func worker(
    _ settings: ApplierSettings, _ store: MailboxStore, _ clock: TestClock,
    _ answerCount: AnswerCount, _ onPhase: @escaping PhaseObserver = { _ in }
  ) -> Worker {
    Worker(
      settings, store: store, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { clock.now }, sinceBoot: { clock.sinceBoot },
      onAnswer: { answerCount.increment() }, onPhase: onPhase)
  }

  /// With one commit of these files, which has arrived.
  static func started(
    _ options: PipelineOptions = PipelineOptions(),
    files: [String: String] = ["a": "1\n", "b/c": "2\n"]
  ) throws -> Pipeline {
    let pipeline = try Pipeline(options)
    try pipeline.source.commit(files)
    try pipeline.push()
    return pipeline
  }

  /// As after a restart of the daemon.
  func restartWorker(
    deadline: Duration? = nil, onPhase: @escaping PhaseObserver = { _ in }
  ) {
    let settings = ApplierSettings(
      identity: applier, state: applierSettings.state,
      trustedSigners: applierSettings.trustedSigners, checkouts: applierSettings.checkouts,
      deadline: deadline ?? applierSettings.deadline)
    answerCount.reset()
    worker = Self.worker(settings, store, clock, answerCount, onPhase)
  }

  // MARK: - The way there and back

  @discardableResult
  func send(
    from start: Sending.Start = .whereRecipientsAre, to: String? = nil
  ) throws -> SentPatch {
    try #require(try sending.send(main, of: configured, from: start, to: to).sent.first)
  }

  func send(_ push: Push) throws -> SentPatch {
    try #require(try sending.send(push, on: main, of: configured).sent.first)
  }

  /// What waits for the applier, with all its chunks.
  func sealedMessages() throws -> [SealedMessage] {
    try outgoing.messages(in: applier.public.mailbox, countMax: .max).map { try SealedMessage($0) }
  }

  /// Moves everything from the outbox into the inbox.
  func transfer() throws {
    for message in try outgoing.messages(in: applier.public.mailbox, countMax: .max) {
      try deposit(try SealedMessage(message))
      try outbox.markStored([WaitingMessage(message)], at: clock.now)
    }
  }

  /// Puts bytes into the inbox as the carrier does, from a peer that may deposit.
  func deposit(_ sealed: SealedMessage, from depositor: Mailbox? = nil) throws {
    let message = try MessageWriter(
      DepositOffer(id: sealed.id, mailboxes: [applier.public.mailbox], size: sealed.size),
      from: depositor ?? signer.public.mailbox, into: store)
    for chunk in sealed.chunks { try message.append(chunk) }
    try store.commit([message], at: clock.now)
  }

  /// Handles everything in the inbox; answers in how many steps.
  @discardableResult
  func work() throws -> Int {
    var steps = 0
    repeat {
      while case .progress = try worker.handleNext() { steps += 1 }
    } while worker.waitForCommand()
    return steps
  }

  /// A receipt that the applier makes, on the way that all take.
  func record(_ receipt: Receipt) throws -> ReceiptReader.Reading {
    let envelope = try Envelope.seal(receipt, by: applier, for: [signer.public])
    let id = envelope.offer.id
    var chunks: [[UInt8]] = []
    try envelope.write { chunks.append($0) }
    let verified = try reader.read(ChunkList(chunks), named: id)
    return try #require(try reader.record([verified], at: clock.now).first?.first)
  }

  var reader: ReceiptReader { ReceiptReader(signerSettings, outbox: outbox) }

  /// What came back since the last time, verified with the signer's own means and recorded in its outbox.
  func receipts() throws -> [Receipt] {
    var receipts: [Receipt] = []
    for message in try store.messages(in: signer.public.mailbox, countMax: .max) {
      let answer = try reader.read(try SealedMessage(message), named: message.id)
      _ = try reader.record([answer], at: clock.now)
      if let receipt = answer.receipt { receipts.append(receipt) }
      try store.remove(message)
    }
    return receipts
  }

  /// The whole way of one push.
  @discardableResult
  func push(
    from start: Sending.Start = .whereRecipientsAre, to: String? = nil
  ) throws -> [Receipt] {
    try send(from: start, to: to)
    return try deliver()
  }

  func deliver() throws -> [Receipt] {
    try transfer()
    try work()
    return try receipts()
  }

  func snapshot(_ revision: ObjectID) throws -> Snapshot {
    Snapshot(revision: revision, tree: try source.tree(revision.hex))
  }
}

/// The chunks of a sealed message, as they travel.
struct SealedMessage: ChunkSource {
  var chunks: [[UInt8]]

  init(chunks: [[UInt8]]) { self.chunks = chunks }

  init(_ stored: StoredMessage) throws {
    let open = try stored.open()
    chunks = try (0..<open.count).map { index throws(MailboxError) in try open[index] }
  }

  var count: UInt32 { UInt32(chunks.count) }

  subscript(index: UInt32) -> [UInt8] { chunks[Int(index)] }

  var id: MessageID { MessageID(ofHeader: chunks[0]) }

  var size: SealedSize {
    SealedSize(
      chunkCount: UInt32(chunks.count), byteCount: chunks.reduce(0) { $0 + UInt64($1.count) })
  }
}

extension Receipt {
  /// `nil`: applied.
  var refusal: Refusal? { if case .refused(let refusal, _) = outcome { refusal } else { nil } }
}
