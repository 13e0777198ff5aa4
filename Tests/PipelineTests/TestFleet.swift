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
import TestSupport
import Testing

/// A signer and its machines in one process. A carrier without faults is between them, unless a test makes one.
final class TestFleet {
  let folder: PipelineFolder
  let clock = TestClock()
  let signer: Identity
  let source: PipelineRepository
  let machines: [TestMachine]
  /// The signer's.
  let log = TestLog()
  let configured: SignerRepository
  let main: BranchName
  private(set) var settings: SignerSettings
  private(set) var outbox: Outbox
  private var outgoing: MailboxStore
  /// Of messages that were made so far: what became of which.
  private(set) var sent: [SentPatch] = []

  init(
    _ names: [String] = ["web1"], history: SignerRepository.History = .tip,
    sameTree: SignerRepository.SameTree = .skip,
    onLocalChanges: CheckoutSettings.LocalChanges = .refuse,
    onGoingBack: CheckoutSettings.GoingBack = .apply, staleAfterSeconds: UInt64? = nil,
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
        onLocalChanges: onLocalChanges, onGoingBack: onGoingBack,
        staleAfterSeconds: staleAfterSeconds)
    }
    configured = SignerRepository(
      path: source.path, remote: Pipeline.remote, branches: [main],
      recipients: machines.map(\.identity.public), history: history, sameTree: sameTree)
    settings = SignerSettings(
      identity: signer, state: folder.path("signer"), carriers: [], repositories: [configured],
      lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
    outbox = try Outbox(directory: settings.state, sinceBoot: { clock.sinceBoot })
    outgoing = try MailboxStore(state: StateDatabase.signer(directory: settings.state))
  }

  /// With one commit that everyone has.
  static func started(
    _ names: [String] = ["web1"], history: SignerRepository.History = .tip,
    sameTree: SignerRepository.SameTree = .skip,
    onLocalChanges: CheckoutSettings.LocalChanges = .refuse,
    onGoingBack: CheckoutSettings.GoingBack = .apply, staleAfterSeconds: UInt64? = nil,
    others: [Identity] = [], partners: [Identity] = []
  ) throws -> TestFleet {
    let fleet = try TestFleet(
      names, history: history, sameTree: sameTree, onLocalChanges: onLocalChanges,
      onGoingBack: onGoingBack,
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
    return SignerDaemon(
      settings, outbox: outbox, progress: .init { _, _, _ in }, log: log.logger
    ) { clock.now }
  }

  /// Another state in the place of the signer's.
  func replaceSignerState(_ body: (String) throws -> Void) throws {
    try outgoing.state.queue.close()
    try body(settings.state)
    let clock = clock
    outbox = try Outbox(directory: settings.state, sinceBoot: { clock.sinceBoot })
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
        try outbox.markStored([WaitingMessage(message)], at: clock.now)
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
      try outbox.markStored([WaitingMessage(message)], at: clock.now)
    }
  }

  /// `reader`: the signer, unless it is another one.
  func receipts(
    of machine: TestMachine, for reader: ReceiptReader? = nil, _ mailbox: Mailbox? = nil
  ) throws -> [ReceiptReader.Answer] {
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
  func record(_ answers: [ReceiptReader.Answer]) throws -> [ReceiptReader.Reading] {
    Array(try reader.record(answers, at: clock.now).joined())
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

extension ReceiptReader.Answer {
  var receipt: Receipt? { if case .receipt(let receipt) = self { receipt.body } else { nil } }
  var report: Report? { if case .report(let report) = self { report.body } else { nil } }

  /// Why checkouts are blocked, one after the other; `nil`: it is not.
  var blocks: [BlockReason?] {
    if case .blocked(let reason, _) = receipt?.outcome { return [reason] }
    guard let report else { return [nil] }
    return report.streams.map {
      if case .blocked(let reason, _, _) = $0.standing { reason } else { nil }
    }
  }
}
