import Applier
import Foundation
import GitModel
import Mailboxes
import MessageFormat
import Signer
import Sodium
import TestSupport
import Testing

/// Another signer of the same stream, with a clone of its own that may be behind.
private final class Partner {
  let identity: Identity
  let source: PipelineRepository
  private let fleet: TestFleet
  private let settings: SignerSettings
  private let outbox: Outbox
  private let outgoing: MailboxStore

  init(_ identity: Identity, beside fleet: TestFleet) throws {
    self.identity = identity
    self.fleet = fleet
    source = PipelineRepository(at: fleet.folder.path("clone"), in: fleet.folder)
    try fleet.source.git("clone", "-q", fleet.source.path, source.path)
    settings = SignerSettings(
      identity: identity, state: fleet.folder.path("partner"), carriers: [],
      repositories: [
        SignerRepository(
          path: source.path, remote: Pipeline.remote, branches: [fleet.main],
          recipients: fleet.machines.map(\.identity.public), history: .tip)
      ], lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
    outbox = try Outbox(directory: settings.state)
    outgoing = try MailboxStore(state: StateDatabase.signer(directory: settings.state))
  }

  func push() throws {
    let clock = fleet.clock
    clock.advance(seconds: 1)
    _ = try Sending(settings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
      .send(fleet.main, of: settings.repositories[0], from: .whereRecipientsAre, to: nil)
    try deliver()
  }

  /// A heartbeat, and what its answer asks for; answers how many messages were made for that.
  func beat() throws -> Int {
    let clock = fleet.clock
    var daemon = SignerDaemon(
      settings, outbox: outbox, progress: .init { _, _, _ in }, log: fleet.log.logger
    ) { clock.now }
    var count = 0
    for _ in 0..<4 {
      clock.advance(seconds: 61)
      _ = try daemon.step()
      count += try daemon.heal().sent.count
      try deliver()
    }
    return count
  }

  private func deliver() throws {
    let machine = fleet.machines[0]
    for message in try outgoing.messages(in: machine.mailbox, countMax: .max) {
      try fleet.deposit(try SealedMessage(message), at: machine)
      try outbox.markStored([WaitingMessage(message)], at: fleet.clock.now)
    }
    fleet.clock.advance(seconds: 1)
    try machine.work()
    let reader = ReceiptReader(settings, outbox: outbox)
    _ = try reader.record(
      try fleet.receipts(of: machine, for: reader, identity.public.mailbox), at: fleet.clock.now)
  }
}

/// Two signers whose lists of machines have one in common.
struct TwoSignersTests {
  private let fleet: TestFleet
  private let partner: Partner
  private var machine: TestMachine { fleet.machines[0] }

  /// Both have sent the first commit; the second is of the first signer alone.
  init() throws {
    let identity = Identity(generating: try IdentityName("partner"))
    fleet = try TestFleet.started(partners: [identity])
    partner = try Partner(identity, beside: fleet)
    try partner.push()
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try beat()
  }

  private func beat() throws {
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    try fleet.deliver()
  }

  /// Its clone was not fetched, or was, and nobody has pushed there.
  @Test(arguments: [false, true])
  func `signer that is behind takes nobody back while the other is at work`(isFetched: Bool) throws
  {
    if isFetched { try partner.source.git("fetch", "-q") }
    #expect(try partner.beat() == 1)
    try fleet.expectEqual()
    #expect(try machine.status().lastRefusal?.name == "foreign-commit")
    #expect(try machine.status().staleness == nil)
    try beat()
    #expect(try partner.beat() == 0)
    #expect(try machine.status().staleness == nil)
  }

  /// Then there is nobody else to ask.
  @Test func `signer whose other is silent for long is followed`() throws {
    fleet.clock.advance(seconds: 3_600)
    #expect(try partner.beat() == 1)
    #expect(try machine.checkout.id() == partner.source.id())
  }

  @Test func `either goes on from what the other has sent`() throws {
    try partner.source.git("pull", "-q", "--ff-only")
    try partner.source.commit(["a": "3\n"])
    try partner.push()
    _ = try partner.beat()
    #expect(try machine.checkout.id() == partner.source.id())
    #expect(try machine.status().staleness == nil)
  }
}
