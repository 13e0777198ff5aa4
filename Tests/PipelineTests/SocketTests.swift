import CarrierProtocol
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing
import ZeroMQCarrier

/// The same way over CurveZMQ, with receipts that cannot be believed among those that can.
struct SocketTests {
  private let pipeline: Pipeline
  private let thread: ListenerThread
  private let delivery: Delivery

  init() throws {
    let pipeline = try Pipeline()
    self.pipeline = pipeline
    let (signer, applier) = (pipeline.signer, pipeline.applier)
    let clock = pipeline.clock
    let access = CarrierAccess(
      depositors: [applier.public.mailbox: [signer.public.mailbox]], byteCountMax: 1 << 30)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let listener = try ZeroMQListener(
      at: [CarrierDoor(endpoint: "tcp://127.0.0.1:*", peers: [signer.public])], as: applier,
      log: log)
    thread = try ListenerThread(
      listener, MailboxServer(store: pipeline.store, access: access) { clock.now }, arrived: {},
      onFailure: { _ in })
    let carrier = try ZeroMQPlan(connectingTo: listener.endpoints[0], of: applier.public)
    let settings = SignerSettings(
      identity: signer, state: pipeline.signerSettings.state, carriers: [carrier],
      repositories: [pipeline.configured], lifetimeMilliseconds: 86_400_000)
    delivery = Delivery(
      settings, outbox: pipeline.outbox, progress: .init { _, _, _ in },
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { clock.now })
  }

  /// Until everything is stored, and one message answered.
  private func run(until id: MessageID? = nil) throws -> [Delivery.Fault] {
    try delivery.start(for: [pipeline.applier.public.mailbox])
    defer { delivery.stop() }
    return try delivery.wait(patience: patience) {
      let answers = try pipeline.outbox.unanswered().filter { $0.id == id }
      return Set(try (pipeline.outbox.unstored() + answers).map(Delivery.Awaited.init))
    }
  }

  /// Deposits, lets the applier work, and collects.
  private func deliver(_ id: MessageID) throws -> [Delivery.Fault] {
    let faults = try run()
    try pipeline.work()
    return try faults + run(until: id)
  }

  @Test func `pushes arrive and their receipts come back`() throws {
    for number in 1...3 {
      try pipeline.source.commit(["a": "\(number)\n"])
      let sent = try pipeline.send()
      #expect(try deliver(sent.id).isEmpty)
      #expect(try pipeline.outbox.newest().map(\.state) == [.applied])
      try pipeline.expectEqual()
    }
    // Acknowledged, and gone on both sides: here at once, there when the acknowledgement has come.
    #expect(try pipeline.sealedMessages().isEmpty)
    let isGone = try becomesTrue {
      try pipeline.store.messages(in: pipeline.signer.public.mailbox, countMax: 9).isEmpty
    }
    #expect(isGone)
    thread.stop()
  }

  @Test func `large message arrives`() throws {
    let bytes = PatchCases.randomBytes(12 << 20, seed: 6)
    try Data(bytes).write(to: URL(fileURLWithPath: pipeline.source.path + "/large"))
    try pipeline.source.commit([:])
    #expect(try deliver(try pipeline.send().id).isEmpty)
    try pipeline.expectEqual()
    thread.stop()
  }

  @Test func `refusal is kept with its name and detail`() throws {
    try pipeline.source.commit(["a": "1\n"])
    #expect(try deliver(try pipeline.send().id).isEmpty)
    try pipeline.checkout.write("a", "mine\n")
    try pipeline.source.commit(["a": "2\n"])
    #expect(try deliver(try pipeline.send().id).isEmpty)
    let row = try #require(try pipeline.outbox.newest().first)
    #expect(row.state == .refused && row.refusal == "local-changes")
    #expect(row.detail?.contains("was changed") == true)
    thread.stop()
  }

  @Test func `receipts that cannot be believed change nothing`() throws {
    try pipeline.source.commit(["a": "1\n"])
    let sent = try pipeline.send()
    #expect(try run().isEmpty)
    let stranger = Identity(generating: try IdentityName("stranger"))
    let snapshot = try pipeline.snapshot(sent.update.after)
    func receipt(by applier: Mailbox, for id: MessageID) -> Receipt {
      Receipt(
        applier: applier, signer: pipeline.signer.public.mailbox, messageID: id, subject: nil,
        outcome: .refused(.expired, detail: "a lie"), revision: snapshot.revision,
        receivedAt: pipeline.clock.now, finishedAt: pipeline.clock.now)
    }
    let (ours, theirs) = (pipeline.applier.public.mailbox, stranger.public.mailbox)
    // Signed by a stranger, in the applier's name and in its own; of another message; of another type; garbage.
    try deposit(receipt(by: ours, for: sent.id).encoded(), by: stranger)
    try deposit(receipt(by: theirs, for: sent.id).encoded(), by: stranger)
    try deposit(
      receipt(by: ours, for: MessageID(ofHeader: [1])).encoded(), by: pipeline.applier)
    try deposit(
      receipt(by: ours, for: sent.id).encoded(), by: pipeline.applier, type: "something/else")
    try deposit(Array("garbage".utf8), by: pipeline.applier)
    try pipeline.work()
    #expect(try run(until: sent.id).isEmpty)
    #expect(try pipeline.outbox.newest().map(\.state) == [.applied])
    thread.stop()
  }

  /// Into the signer's mailbox, as only the applier's own store can.
  private func deposit(
    _ body: [UInt8], by author: Identity, type: String = Receipt.statementType
  ) throws {
    var sealer = Sealer(for: [pipeline.signer.public])
    let statement = try Statement.signed(body, type: type, by: author)
    let sealed = SealedMessage(chunks: [sealer.header, sealer.seal(statement, isLast: true)])
    let message = try MessageWriter(
      DepositOffer(id: sealed.id, mailboxes: sealer.mailboxes, size: sealed.size),
      from: pipeline.applier.public.mailbox, into: pipeline.store)
    for chunk in sealed.chunks { try message.append(chunk) }
    try pipeline.store.commit([message], at: pipeline.clock.now)
  }
}
