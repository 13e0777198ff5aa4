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

/// The fleet's time, and by how much one machine is ahead of it.
final class MachineClock: Sendable {
  private let fleet: TestClock
  private let aheadMilliseconds = Mutex<UInt64>(0)

  init(_ fleet: TestClock) { self.fleet = fleet }

  var now: Timestamp { fleet.now.adding(milliseconds: aheadMilliseconds.withLock { $0 }) }

  var sinceBoot: BootTime { fleet.sinceBoot }

  var moment: Moment { Moment(wall: now, sinceBoot: sinceBoot) }

  func set(aheadBySeconds seconds: UInt64) { aheadMilliseconds.withLock { $0 = 1_000 * seconds } }
}

/// A private machine: its keys, its state and its checkout.
final class TestMachine {
  let identity: Identity
  let checkout: PipelineRepository
  let settings: ApplierSettings
  private(set) var store: MailboxStore
  /// Its own, which the test may set wrong.
  let clock: MachineClock
  private(set) var worker: Worker
  let log = TestLog()
  /// What its carrier does not let through any more, in either direction.
  var isCutOff = false

  init(
    _ name: String, signers: [Identity], partners: [Identity], clock: TestClock,
    folder: PipelineFolder, onLocalChanges: CheckoutSettings.LocalChanges,
    staleAfterSeconds: UInt64?
  ) throws {
    identity = Identity(generating: try IdentityName(name))
    checkout = PipelineRepository(at: folder.path(name + "-live"), in: folder)
    let main = try #require(BranchName("main"))
    let first = try #require(signers.first)
    settings = ApplierSettings(
      identity: identity, state: folder.path(name),
      trustedSigners: (signers + partners).map(\.public),
      checkouts: [
        CheckoutSettings(
          stream: StreamName(remote: Pipeline.remote, branch: main), path: checkout.path,
          onLocalChanges: onLocalChanges, unusualPaths: .refuse, symbolicLinks: .inside,
          signers: Set(([first] + partners).map(\.public.mailbox)),
          staleAfterSeconds: staleAfterSeconds)
      ], deadline: .seconds(300), metrics: folder.path(name + ".prom"))
    self.clock = MachineClock(clock)
    store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
    worker = Self.worker(settings, store, self.clock, log)
  }

  private static func worker(
    _ settings: ApplierSettings, _ store: MailboxStore, _ clock: MachineClock, _ log: TestLog
  ) -> Worker {
    Worker(
      settings, store: store, log: log.logger, now: { clock.now },
      sinceBoot: { clock.sinceBoot }, onAnswer: {})
  }

  var mailbox: Mailbox { identity.public.mailbox }

  /// Until nothing is left to do, or so many steps.
  func work(stepCountMax: Int = .max) throws {
    var count = 0
    while count < stepCountMax, case .progress = try worker.handleNext() { count += 1 }
  }

  /// The whole state is gone, or another one.
  func replaceState(_ body: (String) throws -> Void) throws {
    try store.state.queue.close()
    try body(settings.state)
    store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
    worker = Self.worker(settings, store, clock, log)
  }

  func status() throws -> CheckoutStatus {
    try #require(try ApplierStatus(settings, store: store, now: clock.moment).checkouts.first)
  }
}

/// A signer and its machines in one process. A carrier without faults is between them, unless a test makes one.
final class TestFleet {
  let folder: PipelineFolder
  let clock = TestClock()
  let signer: Identity
  let source: PipelineRepository
  let machines: [TestMachine]
  let configured: SignerRepository
  let main: BranchName
  private(set) var settings: SignerSettings
  private(set) var outbox: Outbox
  private var outgoing: MailboxStore
  /// Of messages that were made so far: what became of which.
  private(set) var sent: [SentPatch] = []

  init(
    _ names: [String] = ["web1"], history: SignerRepository.History = .tip,
    onLocalChanges: CheckoutSettings.LocalChanges = .refuse, staleAfterSeconds: UInt64? = nil,
    others: [Identity] = [], partners: [Identity] = []
  ) throws {
    let folder = try PipelineFolder()
    self.folder = folder
    let signer = Identity(generating: try IdentityName("signer"))
    self.signer = signer
    main = try #require(BranchName("main"))
    source = try PipelineRepository(making: folder.path("source"), in: folder)
    let clock = clock
    machines = try names.map {
      try TestMachine(
        $0, signers: [signer] + others, partners: partners, clock: clock, folder: folder,
        onLocalChanges: onLocalChanges, staleAfterSeconds: staleAfterSeconds)
    }
    configured = SignerRepository(
      path: source.path, remote: Pipeline.remote, branches: [main],
      recipients: machines.map(\.identity.public), history: history)
    settings = SignerSettings(
      identity: signer, state: folder.path("signer"), carriers: [], repositories: [configured],
      lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
    outbox = try Outbox(directory: settings.state)
    outgoing = try MailboxStore(state: StateDatabase.signer(directory: settings.state))
  }

  /// With one commit that everyone has.
  static func started(
    _ names: [String] = ["web1"], history: SignerRepository.History = .tip,
    onLocalChanges: CheckoutSettings.LocalChanges = .refuse, staleAfterSeconds: UInt64? = nil,
    others: [Identity] = [], partners: [Identity] = []
  ) throws -> TestFleet {
    let fleet = try TestFleet(
      names, history: history, onLocalChanges: onLocalChanges,
      staleAfterSeconds: staleAfterSeconds, others: others,
      partners: partners)
    try fleet.source.commit(["a": "1\n", "b/c": "2\n"])
    try fleet.push()
    try fleet.expectEqual()
    return fleet
  }

  private var sending: Sending {
    let clock = clock
    return Sending(settings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
  }

  var daemon: SignerDaemon {
    let clock = clock
    return SignerDaemon(settings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
  }

  /// Another state in the place of the signer's.
  func replaceSignerState(_ body: (String) throws -> Void) throws {
    try outgoing.state.queue.close()
    try body(settings.state)
    outbox = try Outbox(directory: settings.state)
    outgoing = try MailboxStore(state: StateDatabase.signer(directory: settings.state))
  }

  // MARK: - Steps

  @discardableResult
  func send(to revision: String? = nil) throws -> [SentPatch] {
    clock.advance(seconds: 1)
    return try sending.send(main, of: configured, to: revision).sent
  }

  /// What the daemon does at one moment: heartbeats that are due, and what recipients miss.
  @discardableResult
  func step() throws -> Healing.Pass {
    var daemon = daemon
    _ = try daemon.step()
    return try daemon.heal()
  }

  /// What lies in the outbox goes to the machines, they work, and their answers come back.
  func deliver() throws {
    for machine in machines where !machine.isCutOff {
      for message in try outgoing.messages(in: machine.mailbox, countMax: .max) {
        try deposit(try SealedMessage(message), at: machine)
        try outbox.markStored(WaitingMessage(message), at: clock.now)
      }
      clock.advance(seconds: 1)
      try machine.work()
      try record(try receipts(of: machine))
    }
  }

  func deposit(_ sealed: SealedMessage, at machine: TestMachine) throws {
    let message = try MessageWriter(
      DepositOffer(id: sealed.id, mailboxes: [machine.mailbox], size: sealed.size),
      from: signer.public.mailbox, into: machine.store)
    for chunk in sealed.chunks { try message.append(chunk) }
    try machine.store.commit([message], at: clock.now)
  }

  /// What lies in the outbox for a machine, without delivering it.
  func sealed(for machine: TestMachine) throws -> [SealedMessage] {
    try outgoing.messages(in: machine.mailbox, countMax: .max).map { try SealedMessage($0) }
  }

  /// The carrier says that it has stored them, and loses them.
  func lose(for machine: TestMachine) throws {
    for message in try outgoing.messages(in: machine.mailbox, countMax: .max) {
      try outbox.markStored(WaitingMessage(message), at: clock.now)
    }
  }

  /// `reader`: the signer, unless it is another one.
  func receipts(
    of machine: TestMachine, for reader: ReceiptReader? = nil, _ mailbox: Mailbox? = nil
  ) throws -> [Verified<Receipt>] {
    let reader = reader ?? self.reader
    return try machine.store.messages(in: mailbox ?? signer.public.mailbox, countMax: .max)
      .map { message in
        let receipt = try reader.read(try SealedMessage(message), named: message.id)
        try machine.store.remove(message)
        return receipt
      }
  }

  var reader: ReceiptReader { ReceiptReader(settings, outbox: outbox) }

  @discardableResult
  func record(_ receipts: [Verified<Receipt>]) throws -> [ReceiptReader.Reading] {
    try reader.record(receipts, at: clock.now)
  }

  func push(to revision: String? = nil) throws {
    try send(to: revision)
    try deliver()
  }

  /// What the daemon would do until nothing is due any more; answers how many messages it made.
  @discardableResult
  func heal() throws -> Int {
    var count = 0
    var quietSteps = 0
    for _ in 0..<20 where quietSteps < 2 {
      let step = try self.step()
      #expect(step.failures.isEmpty, "\(step.failures)")
      count += step.sent.count
      sent += step.sent
      try deliver()
      // What a heartbeat brings to light is done in the step after it.
      quietSteps = step.sent.isEmpty ? quietSteps + 1 : 0
    }
    return count
  }

  // MARK: - Expectations

  func machine(_ index: Int = 0) throws -> Recipient {
    let mailbox = machines[index].mailbox
    return try #require(try outbox.recipients().first { $0.mailbox == mailbox })
  }

  /// The newest message to a machine.
  func newest(_ index: Int = 0) throws -> SentMessage {
    let mailbox = machines[index].mailbox
    return try #require(try outbox.newest().first { $0.recipient == mailbox })
  }

  /// That every machine is at this revision, in every way that git can see.
  func expectEqual(
    to revision: String = "main", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for machine in machines {
      #expect(try machine.checkout.id() == source.id(revision), sourceLocation: sourceLocation)
      #expect(try machine.checkout.status() == "", sourceLocation: sourceLocation)
      #expect(try machine.checkout.fsck() == "", sourceLocation: sourceLocation)
    }
  }
}
