import Foundation
import Git
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing

/// An applier reduced to where its checkout is: it opens messages and heartbeats, goes where they lead if they start from
/// where it is, and answers as a real one does.
final class ModelMachine {
  let identity: Identity
  private(set) var snapshot: Snapshot?

  init(_ name: String) throws { identity = Identity(generating: try IdentityName(name)) }

  var mailbox: Mailbox { identity.public.mailbox }

  /// As if somebody had removed the checkout.
  func lose() { snapshot = nil }

  func answer(
    _ sealed: SealedMessage, from signer: Identity, at time: Timestamp
  ) throws -> [SealedMessage] {
    let envelope = try Envelope.open(sealed, named: sealed.id, for: identity)
    if envelope.type == Heartbeat.statementType {
      let heartbeat = try envelope.verified(Heartbeat.self, trusting: [signer.public]).body
      return [try answer(to: heartbeat, signer, time)]
    }
    let message = try envelope.verified(Message.self, trusting: [signer.public]).body
    let outcome: Receipt.Outcome
    if message.before?.revision == snapshot?.revision || message.after == snapshot {
      snapshot = message.after
      outcome = .applied(message.after)
    } else {
      outcome = .behind(snapshot)
    }
    return [
      try receipt(message.stream, message.sequence, outcome, sealed.id, signer, time)
    ]
  }

  private func answer(
    to heartbeat: Heartbeat, _ signer: Identity, _ time: Timestamp
  ) throws -> SealedMessage {
    let report = Report(
      applier: mailbox, signer: signer.public.mailbox, counter: heartbeat.counter,
      receivedAt: time, finishedAt: time,
      streams: heartbeat.streams.map { stream in
        let standing: Report.Standing =
          if let snapshot, snapshot.revision == stream.revision { .current(snapshot) } else {
            .behind(snapshot)
          }
        return Report.Stream(stream.name, sequence: stream.sequence, standing: standing)
      })
    return try sealed(report, for: signer)
  }

  private func receipt(
    _ stream: StreamName, _ sequence: UInt64, _ outcome: Receipt.Outcome, _ id: MessageID,
    _ signer: Identity, _ time: Timestamp
  ) throws -> SealedMessage {
    let receipt = Receipt(
      applier: mailbox, signer: signer.public.mailbox, messageID: id,
      subject: Receipt.Subject(stream: stream, sequence: sequence), outcome: outcome,
      revision: snapshot?.revision, receivedAt: time, finishedAt: time)
    return try sealed(receipt, for: signer)
  }

  private func sealed(_ body: some StatementBody, for signer: Identity) throws -> SealedMessage {
    var chunks: [[UInt8]] = []
    try Envelope.seal(body, by: identity, for: [signer.public]).write { chunks.append($0) }
    return SealedMessage(chunks: chunks)
  }
}

/// A signer with model machines, all of whose parts may run at once: each has its own connection to the state.
final class ModelFleet: @unchecked Sendable {
  let settings: SignerSettings
  let clock = TestClock()
  /// Of one thread at a time.
  let machines: [ModelMachine]
  let main: BranchName

  init(source: String, state: String, machineCount: Int) throws {
    main = try #require(BranchName("main"))
    machines = try (1...machineCount).map { try ModelMachine("web\($0)") }
    let repository = SignerRepository(
      path: source, remote: Pipeline.remote, branches: [main],
      recipients: machines.map(\.identity.public), history: .tip)
    settings = SignerSettings(
      identity: Identity(generating: try IdentityName("signer")), state: state, carriers: [],
      repositories: [repository], lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
  }

  /// A connection to the state.
  func outbox() throws -> Outbox { try Outbox(directory: settings.state) }

  var stream: StreamName { settings.repositories[0].stream(main) }

  /// With a connection of its own. `progress` is called in the middle of each pack.
  func sending(
    progress: @escaping @Sendable (SendProgress.Step) -> Void = { _ in }
  ) throws -> Sending {
    let clock = clock
    return Sending(
      settings, outbox: try outbox(),
      progress: SendProgress { step, _, _ in progress(step) }, now: { clock.now })
  }

  @discardableResult
  func send(
    progress: @escaping @Sendable (SendProgress.Step) -> Void = { _ in }
  ) throws -> SendOutcome {
    try sending(progress: progress).send(main, of: settings.repositories[0])
  }

  /// Heartbeats, and what machines miss.
  @discardableResult
  func beat(
    _ outbox: Outbox? = nil, progress: @escaping @Sendable (SendProgress.Step) -> Void = { _ in }
  ) throws -> Healing.Pass {
    let clock = clock
    clock.advance(seconds: 61)
    var daemon = SignerDaemon(
      settings, outbox: try outbox ?? self.outbox(),
      progress: SendProgress { step, _, _ in progress(step) }, log: TestLog().logger,
      now: { clock.now })
    _ = try daemon.step()
    return try daemon.heal()
  }

  /// What lies in the outbox reaches the machines, and their answers come back; returns how many messages there were.
  @discardableResult
  func deliver(_ own: Outbox? = nil) throws -> Int {
    let outbox = try own ?? self.outbox()
    let reader = ReceiptReader(settings, outbox: outbox)
    var count = 0
    for machine in machines {
      for message in try outbox.store.messages(in: machine.mailbox, countMax: .max) {
        count += 1
        let sealed: SealedMessage
        do {
          sealed = try SealedMessage(message)
        } catch MailboxError.missing {
          // A heartbeat that the next one has replaced.
          continue
        }
        try outbox.markStored([WaitingMessage(message)], at: clock.now)
        clock.advance(seconds: 1)
        for answer in try machine.answer(sealed, from: settings.identity, at: clock.now) {
          let receipt = try reader.read(answer, named: answer.id)
          _ = try reader.record([receipt], at: clock.now)
        }
      }
    }
    return count
  }

  func head() throws -> ObjectID? {
    try Outbox(directory: settings.state).head(of: stream)?.revision
  }
}
