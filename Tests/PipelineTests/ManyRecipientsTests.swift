import Foundation
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing

/// A branch with more recipients than one message names.
struct ManyRecipientsTests {
  private let folder: PipelineFolder
  private let source: PipelineRepository
  private let signer: Identity
  private let settings: SignerSettings
  private let outbox: Outbox
  private let clock = TestClock()
  /// Of the first, the second and the last message.
  private let readers: [Identity]

  init() throws {
    folder = try PipelineFolder()
    source = try PipelineRepository(making: folder.path("source"), in: folder)
    signer = Identity(generating: try IdentityName("signer"))
    var readers: [Identity] = []
    let recipients = try (0...2 * Limits.recipientCountMax).map { number in
      let identity = Identity(generating: try IdentityName("web\(number)"))
      if number % Limits.recipientCountMax == 0 { readers.append(identity) }
      return identity.public
    }
    self.readers = readers
    settings = SignerSettings(
      identity: signer, state: folder.path("signer"), carriers: [],
      repositories: [
        SignerRepository(
          path: source.path, remote: Pipeline.remote, branches: [try #require(BranchName("main"))],
          recipients: recipients, history: .tip)
      ], lifetimeMilliseconds: 86_400_000, heartbeatSeconds: 60)
    outbox = try Outbox(directory: settings.state)
  }

  private func push(_ number: Int) throws -> [SentPatch] {
    try source.commit(["a": "\(number)\n"])
    clock.advance(seconds: 1)
    let clock = clock
    return try Sending(settings, outbox: outbox, progress: .init { _, _, _ in }) { clock.now }
      .send(settings.repositories[0].branches.names[0], of: settings.repositories[0]).sent
  }

  /// What waits for a recipient, and is taken by the carrier.
  private func take<Body: StatementBody>(
    _ body: Body.Type, for reader: Identity
  ) throws -> [Verified<Body>] {
    let mailbox = reader.public.mailbox
    return try outbox.store.messages(in: mailbox, countMax: .max).map { message in
      let envelope = try Envelope.open(
        try SealedMessage(message), named: message.id, for: reader)
      try outbox.markStored([WaitingMessage(message)], at: clock.now)
      return try envelope.verified(body, trusting: [signer.public])
    }
  }

  @Test func `a push is several messages, and each recipient has a chain of its own`() throws {
    var seen: [[Verified<Message>]] = readers.map { _ in [] }
    for number in 1...3 {
      let sent = try push(number)
      #expect(sent.map(\.recipients.count) == [1_000, 1_000, 1])
      #expect(Set(sent.flatMap(\.recipients)).count == 2_001)
      for (index, reader) in readers.enumerated() {
        let messages = try take(Message.self, for: reader)
        #expect(messages.count == 1)
        seen[index] += messages
      }
    }
    for messages in seen {
      for (last, next) in zip(messages, messages.dropFirst()) {
        #expect(next.body.sequence == last.body.sequence + 3)
        #expect(next.body.before == last.body.after)
      }
    }
    // In the order of their numbers, each names the one before, whoever that was for.
    let all = seen.flatMap { $0 }.sorted { $0.body.sequence < $1.body.sequence }
    for (last, next) in zip(all, all.dropFirst()) {
      #expect(next.body.sequence == last.body.sequence + 1)
      #expect(next.body.previous == last.digest)
    }
  }

  @Test func `a heartbeat goes to all recipients of the same streams at once`() throws {
    _ = try push(1)
    for reader in settings.repositories[0].recipients {
      for message in try outbox.store.messages(in: reader.mailbox, countMax: 9) {
        try outbox.markStored([WaitingMessage(message)], at: clock.now)
      }
    }
    clock.advance(seconds: 61)
    let clock = clock
    var daemon = SignerDaemon(
      settings, outbox: outbox, progress: .init { _, _, _ in }, log: TestLog().logger
    ) { clock.now }
    _ = try daemon.step()
    let heartbeats = try readers.map { try #require(try take(Heartbeat.self, for: $0).first).body }
    #expect(heartbeats.map(\.recipients.count).sorted() == [1, 1_000, 1_000])
    #expect(Set(heartbeats.map(\.counter)).count == 1)
    #expect(Set(heartbeats.map(\.streams)).count == 1)
    let usage = try outbox.store.usage(of: signer.public.mailbox, as: .depositor)
    #expect(usage.messageCount <= 3)
  }
}
