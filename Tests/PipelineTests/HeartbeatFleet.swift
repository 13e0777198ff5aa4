import Applier
import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing

/// A signer of several branches and one machine with a checkout of each.
final class HeartbeatFleet {
  let folder: PipelineFolder
  let clock = TestClock()
  let signer: Identity
  let machine: Identity
  let source: PipelineRepository
  let branches: [BranchName]
  let settings: SignerSettings
  private(set) var outbox: Outbox
  let store: MailboxStore
  let log = TestLog()
  let applier: ApplierSettings
  private(set) var worker: Worker

  /// `commands`: of checkouts, by branch.
  init(
    _ names: [String], listening: [String]? = nil, commands: [String: CheckoutCommands] = [:]
  ) throws {
    folder = try PipelineFolder()
    signer = Identity(generating: try IdentityName("signer"))
    machine = Identity(generating: try IdentityName("web1"))
    source = try PipelineRepository(making: folder.path("source"), in: folder)
    branches = try names.map { try #require(BranchName($0)) }
    try source.commit(["a": "1\n"])
    for name in names where name != "main" { try source.git("branch", name) }
    settings = SignerSettings(
      identity: signer, state: folder.path("signer"), carriers: [],
      repositories: [
        SignerRepository(
          path: source.path, remote: Pipeline.remote, branches: branches,
          recipients: [machine.public], history: .tip)
      ], lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
    let (folder, signer) = (folder, signer)
    applier = ApplierSettings(
      identity: machine, state: folder.path("web1"), trustedSigners: [signer.public],
      checkouts: try (listening ?? names).map { name in
        CheckoutSettings(
          stream: StreamName(
            remote: Pipeline.remote, branch: try #require(BranchName(name))),
          path: folder.path("live-" + name), onLocalChanges: .refuse, unusualPaths: .refuse,
          symbolicLinks: .inside, signers: [signer.public.mailbox], staleAfterSeconds: nil,
          commands: commands[name] ?? .none)
      }, deadline: .seconds(300))
    outbox = try Outbox(directory: settings.state)
    store = try MailboxStore(state: StateDatabase.applier(directory: applier.state))
    worker = Self.worker(applier, store, clock, log)
  }

  private static func worker(
    _ settings: ApplierSettings, _ store: MailboxStore, _ clock: TestClock, _ log: TestLog
  ) -> Worker {
    Worker(
      settings, store: store, log: log.logger, now: { clock.now },
      sinceBoot: { clock.sinceBoot }, onAnswer: {})
  }

  /// With one commit that every checkout has.
  static func started(_ names: [String], listening: [String]? = nil) throws -> HeartbeatFleet {
    let fleet = try HeartbeatFleet(names, listening: listening)
    for branch in fleet.branches { try fleet.send(branch) }
    try fleet.exchange()
    return fleet
  }

  func send(_ branch: BranchName) throws {
    clock.advance(seconds: 1)
    let clock = clock
    _ = try Sending(settings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
      .send(branch, of: settings.repositories[0])
  }

  /// As if the signer began anew.
  func loseSignerState() throws {
    try outbox.store.state.queue.close()
    try FileManager.default.removeItem(atPath: settings.state)
    outbox = try Outbox(directory: settings.state)
  }

  /// A step of the daemon's after a minute: what lies in the outbox then.
  func beat() throws -> [StoredMessage] {
    let clock = clock
    clock.advance(seconds: 61)
    var daemon = SignerDaemon(
      settings, outbox: outbox, progress: .init { _, _, _ in }, log: TestLog().logger
    ) { clock.now }
    _ = try daemon.step()
    return try outbox.store.messages(in: machine.public.mailbox, countMax: .max)
  }

  func open(_ message: StoredMessage) throws -> Heartbeat {
    try Envelope.open(
      Heartbeat.self, in: try SealedMessage(message), named: message.id, for: machine,
      trusting: [signer.public]
    ).body
  }

  func deliver(_ messages: [SealedMessage]) throws {
    for sealed in messages {
      let message = try MessageWriter(
        DepositOffer(id: sealed.id, mailboxes: [machine.public.mailbox], size: sealed.size),
        from: signer.public.mailbox, into: store)
      for chunk in sealed.chunks { try message.append(chunk) }
      try store.commit([message], at: clock.now)
    }
    while case .progress = try worker.handleNext() {}
  }

  /// All that waits goes there, and the answers come back.
  @discardableResult
  func exchange() throws -> [ReceiptReader.Answer] {
    let waiting = try outbox.store.messages(in: machine.public.mailbox, countMax: .max)
    try deliver(try waiting.map { try SealedMessage($0) })
    for message in waiting { try outbox.markStored([WaitingMessage(message)], at: clock.now) }
    return try answers()
  }

  /// Recorded by the signer.
  func answers() throws -> [ReceiptReader.Answer] {
    let reader = ReceiptReader(settings, outbox: outbox)
    return try store.messages(in: signer.public.mailbox, countMax: .max).map { message in
      let answer = try reader.read(try SealedMessage(message), named: message.id)
      _ = try reader.record([answer], at: clock.now)
      try store.remove(message)
      return answer
    }
  }

  func recipient(_ branch: String) throws -> Recipient {
    try #require(try outbox.recipients().first { $0.stream.branch.shortName == branch })
  }

  func statuses() throws -> [CheckoutStatus] {
    try ApplierStatus(
      applier, store: store, now: Moment(wall: clock.now, sinceBoot: clock.sinceBoot)
    ).checkouts
  }

  func checkout(_ branch: String) -> PipelineRepository {
    PipelineRepository(at: folder.path("live-" + branch), in: folder)
  }
}

extension HeartbeatFleet {
  /// A report that the machine makes, on the way that all take.
  func record(_ report: Report) throws -> [ReceiptReader.Reading] {
    var chunks: [[UInt8]] = []
    try Envelope.seal(report, by: machine, for: [signer.public]).write { chunks.append($0) }
    let sealed = SealedMessage(chunks: chunks)
    let reader = ReceiptReader(settings, outbox: outbox)
    return Array(
      try reader.record([try reader.read(sealed, named: sealed.id)], at: clock.now).joined())
  }
}

extension HeartbeatFleet {
  func heal() throws -> Healing.Pass {
    let clock = clock
    return try SignerDaemon(
      settings, outbox: outbox, progress: .init { _, _, _ in }, log: TestLog().logger
    ) { clock.now }.heal()
  }

  /// Of the newest heartbeat.
  func heartbeatCounter() throws -> UInt64 {
    try #require(
      try outbox.store.state.queue.read {
        try UInt64.fetchOne($0, sql: "SELECT counter FROM heartbeat")
      })
  }
}
