package import CarrierProtocol
import Host
package import Logging
import Mailboxes
package import MessageFormat
import Sealing
import Sodium
import Synchronization

/// Moves what lies in the outbox to the carriers, and takes in the receipts: through the carriers.
package final class Delivery: Sendable {
  /// A receipt is a header and a statement: two chunks.
  private static let receiptByteCountMax = UInt64(2 * Limits.chunkByteCountMax)
  /// Other runs hand over and take in as well: looked at so often.
  private static let turn: Duration = .seconds(1)
  /// A transfer that has begun is given so long for its next step.
  private static let stepTimeout: Duration = .seconds(30)

  private let settings: SignerSettings
  private let outbox: Outbox
  private let receipts: ReceiptReader
  private let progress: SendProgress
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  private let onChange: @Sendable () -> Void
  private let timeouts: ExchangeTimeouts
  private let standing = Mutex(CarrierStanding())
  /// One for each thread that waits.
  private let bells = Mutex<[ObjectIdentifier: Bell]>([:])
  private let carriers = CarrierSet()

  /// What kept a carrier from taking or answering everything; the messages stay in the outbox.
  package struct Fault: Error, Sendable {
    package let endpoint: String
    package let description: String
    package let hint: String?
  }

  /// `onChange`: a message was stored, or receipts were recorded.
  package init(
    _ settings: SignerSettings, outbox: Outbox, progress: SendProgress, log: Logger,
    now: @escaping @Sendable () -> Timestamp, timeouts: ExchangeTimeouts = ExchangeTimeouts(),
    onChange: @escaping @Sendable () -> Void = {}
  ) {
    self.settings = settings
    self.outbox = outbox
    receipts = ReceiptReader(settings, outbox: outbox)
    self.progress = progress
    self.log = log
    self.now = now
    self.timeouts = timeouts
    self.onChange = onChange
  }

  /// Begins to connect to each carrier that leads to one of `recipients`.
  package func start(for recipients: Set<Mailbox>) throws {
    let all = Set(settings.repositories.flatMap(\.recipients).map(\.mailbox))
    let failover = Failover(after: settings.failover)
    for (plan, mailboxes) in settings.carriers.reach(of: all)
    where !mailboxes.isDisjoint(with: recipients) {
      let carrier = try plan.carrier(
        for: settings.identity, peers: [], timeouts: timeouts, log: log)
      standing.withLock { $0.add(plan.place, for: mailboxes) }
      var port = port(of: plan.place, for: mailboxes)
      port.turn = failover.turn(for: mailboxes)
      try carriers.start(carrier, port) { [self] error in
        standing.withLock { $0.end(plan.place, with: error) }
        wakeWaiting()
      }
    }
  }

  /// Something new waits in the outbox.
  package func outboxChanged() { carriers.outgoingChanged() }

  /// How late the loop of a carrier is with its next turn.
  package var delay: Duration { carriers.delay }

  package func stop() { carriers.stop() }

  /// An answer that is waited for.
  package struct Awaited: Hashable {
    let message: MessageID
    package let recipient: Mailbox
    let state: SentMessage.State

    package init(_ sent: SentMessage) {
      (message, recipient, state) = (sent.id, sent.recipient, sent.state)
    }
  }

  /// Waits until no answer is left of those that `awaited` tells, or until nothing has moved for `patience`: what moves
  /// besides, others' messages and their receipts, does not count. Returns what stood in the way.
  ///
  /// Any number of threads may wait. `begin`: what was found hopeless before is being tried again.
  package func wait(
    patience: Duration, since begin: ContinuousClock.Instant? = nil,
    progress: SendProgress? = nil, awaited: () throws -> Set<Awaited>
  ) throws -> [Fault] {
    let bell = Bell()
    bells.withLock { $0[ObjectIdentifier(bell)] = bell }
    defer { bells.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(bell)) } }
    var last: Set<Awaited>?
    var lastMove = ContinuousClock.now
    var reached: Set<String> = []
    while true {
      outboxChanged()
      let answers = try awaited()
      if answers != last { lastMove = .now }
      last = answers
      let standing = standing.withLock { $0 }
      guard answers.contains(where: { standing.hasHope(of: $0, since: begin) }) else {
        return standing.faults(of: answers)
      }
      let places = standing.places(of: answers)
      let patience = places.count > 1 ? patience + settings.failover : patience
      // Once for each: a line that breaks all the time is not waited for for ever.
      let connected = places.filter { standing.connected.contains($0) }
      if !reached.isSuperset(of: connected) { lastMove = .now }
      reached.formUnion(connected)
      let transfers = places.compactMap { standing.transfers[$0] }
      let running = transfers.first(where: \.isRunning)
      if let running { progress?.report(.sending, done: running.done, of: running.total) }
      let end =
        ([lastMove] + transfers.map(\.lastStep)).reduce(lastMove, max)
        + (running == nil ? patience : max(patience, Self.stepTimeout))
      guard end > .now else { return standing.faults(of: answers) }
      bell.wait(for: min(end - .now, Self.turn))
    }
  }

  /// All that wait look again at what they wait for.
  package func wakeWaiting() {
    for bell in bells.withLock({ Array($0.values) }) { bell.ring() }
  }
}

// MARK: - What the carriers tell

extension Delivery {
  private func port(of place: String, for mailboxes: Set<Mailbox>) -> CarrierPort {
    var port = CarrierPort(
      mailbox: settings.identity.public.mailbox, correspondents: mailboxes, store: outbox.store,
      byteCountMax: Self.receiptByteCountMax, log: log, now: now)
    port.accept = { [self] in try take($0) }
    port.delivered = { [self] in try markStored($0, at: place) }
    port.refused = { [self] refusal in
      let fault = Fault(
        endpoint: place,
        description: "refused to store: \(refusal.reason.rawValue): \(refusal.detail)", hint: nil)
      standing.withLock { $0.note(fault, of: refusal, at: place) }
      wakeWaiting()
    }
    port.stateChanged = { [self] state in
      standing.withLock { $0.change(to: state, of: place) }
      wakeWaiting()
    }
    port.moved = { [self] _, done, total in
      progress.report(.sending, done: UInt64(done), of: UInt64(total))
      // What is sent in one go is no transfer that one would watch.
      guard total > Limits.creditMax else { return }
      standing.withLock { $0.move(UInt64(done), of: UInt64(total), at: place) }
      wakeWaiting()
    }
    return port
  }

  private func markStored(_ outgoing: [WaitingMessage], at place: String) throws {
    for total in outgoing.map({ UInt64($0.message.size.chunkCount) }) {
      progress.report(.sending, done: total, of: total)
    }
    try outbox.markStored(outgoing, at: now())
    standing.withLock { standing in
      for waiting in outgoing { standing.settle(waiting, at: place) }
    }
    wakeWaiting()
    onChange()
  }

  private func take(_ messages: [MessageWriter]) throws {
    // Only an answer of one of our recipients changes anything.
    var answers: [ReceiptReader.Answer] = []
    for message in messages {
      do {
        answers.append(
          try receipts.read(ChunkList(message.inlineChunks), named: message.offer.id))
      } catch is SealingError {
        continue
      }
    }
    guard !answers.isEmpty else { return }
    let readings = try receipts.record(answers, at: now())
    for (answer, readings) in zip(answers, readings) {
      for case .mismatch(let field) in readings { report(answer, mismatching: field) }
      if case .receipt(let receipt) = answer, readings == [.news] {
        report(receipt.body, of: answer.author)
      }
    }
    guard readings.joined().contains(.news) else { return }
    wakeWaiting()
    onChange()
  }

  /// What a machine has done with a message; what it says of heartbeats is on the status.
  private func report(_ receipt: Receipt, of author: PublicIdentity) {
    var fields: Logger.Metadata = [
      "machine": "\(author.name)", "message": "\(receipt.messageID.abbreviated)",
    ]
    if let subject = receipt.subject {
      fields["stream"] = "\(subject.stream)"
      fields["sequence"] = .number(subject.sequence)
    }
    switch receipt.outcome {
    case .applied(let snapshot):
      fields["revision"] = "\(snapshot.revision.abbreviated)"
      log.report(.applied, fields)
    case .refused(let refusal, let detail):
      fields["refusal"] = "\(refusal.rawValue)"
      fields["detail"] = "\(detail)"
      log.report(.refused, fields)
    case .behind, .blocked: break
    }
  }

  private func report(_ answer: ReceiptReader.Answer, mismatching field: String) {
    let answered =
      switch answer {
      case .receipt(let receipt): receipt.body.messageID.abbreviated
      case .report(let report): "heartbeat \(report.body.counter)"
      }
    log.report(
      .receiptDropped,
      ["recipient": "\(answer.author.name)", "field": "\(field)", "message": "\(answered)"])
  }
}
