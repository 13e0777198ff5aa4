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
  private let standing = Mutex(Standing())
  private let bell = Bell()
  private let carriers = CarrierSet()

  /// What kept a carrier from taking or answering everything; the messages stay in the outbox.
  package struct Fault: Error, Sendable {
    package let endpoint: String
    package let description: String
    package let hint: String?
  }

  private struct Refused: Hashable {
    let message: MessageID
    let mailbox: Mailbox
  }

  private struct Standing {
    var faults: [String: Fault] = [:]
    /// Whom nothing can be sent to until something changes elsewhere.
    var hopeless: Set<Mailbox> = []
    /// What a carrier has refused to take.
    var refused: Set<Refused> = []
    var lastMove = ContinuousClock.now
    var isInTransfer = false
    /// Carriers that there was a connection to.
    var reached: Set<String> = []

    func hasHope(of answer: Awaited) -> Bool {
      !hopeless.contains(answer.recipient)
        && !refused.contains(Refused(message: answer.message, mailbox: answer.recipient))
    }
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
    for (plan, mailboxes) in settings.carriers.reach(of: all)
    where !mailboxes.isDisjoint(with: recipients) {
      let carrier = try plan.carrier(
        for: settings.identity, peers: [], timeouts: timeouts, log: log)
      try carriers.start(carrier, port(of: plan.place, for: mailboxes)) { [self] error in
        note(
          Fault(endpoint: plan.place, description: "\(error)", hint: nil), of: plan.place,
          hopeless: mailboxes)
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
  /// besides, others' messages and their receipts, does not count. Answers what stood in the way.
  package func wait(
    patience: Duration, awaited: () throws -> Set<Awaited>
  ) throws -> [Fault] {
    var last: Set<Awaited>?
    while true {
      outboxChanged()
      let answers = try awaited()
      if answers != last { standing.withLock { $0.lastMove = .now } }
      last = answers
      let left = Set(answers.map(\.recipient))
      let end: ContinuousClock.Instant? = standing.withLock { standing in
        guard answers.contains(where: { standing.hasHope(of: $0) }) else { return nil }
        let rest = standing.isInTransfer ? max(patience, Self.stepTimeout) : patience
        return standing.lastMove + rest
      }
      guard let end, end > .now else {
        return left.isEmpty ? [] : standing.withLock { Array($0.faults.values) }
      }
      let rest = min(end - .now, Self.turn)
      bell.wait(for: rest)
    }
  }
}

// MARK: - What the carriers tell

extension Delivery {
  private func port(of place: String, for mailboxes: Set<Mailbox>) -> CarrierPort {
    var port = CarrierPort(
      mailbox: settings.identity.public.mailbox, correspondents: mailboxes, store: outbox.store,
      byteCountMax: Self.receiptByteCountMax, log: log, now: now)
    port.accept = { [self] in try take($0) }
    port.delivered = { [self] in try markStored($0) }
    port.refused = { [self] refusal in
      standing.withLock {
        _ = $0.refused.insert(Refused(message: refusal.message, mailbox: refusal.mailbox))
      }
      // Over a limit is this message, and others for the same mailbox may fit; all else is the mailbox's.
      let isOfSize = [.overQuota, .overLimit].contains(refusal.reason)
      note(
        Fault(
          endpoint: place,
          description: "refused to store: \(refusal.reason.rawValue): \(refusal.detail)",
          hint: nil), of: place, hopeless: isOfSize ? [] : [refusal.mailbox])
    }
    port.stateChanged = { [self] state in changed(to: state, place, mailboxes) }
    port.moved = { [self] done, total in
      progress.report(.sending, done: UInt64(done), of: UInt64(total))
      // What is sent in one go is no transfer that one would watch.
      if total > Limits.creditMax { moved(isInTransfer: done < total) }
    }
    return port
  }

  private func changed(
    to state: CarrierState, _ place: String, _ mailboxes: Set<Mailbox>
  ) {
    switch state {
    case .connecting: break
    case .connected:
      standing.withLock { standing in
        standing.faults[place] = nil
        // Once: a line that breaks all the time is not waited for for ever.
        if standing.reached.insert(place).inserted { standing.lastMove = .now }
      }
      bell.ring()
    case .failed(let error):
      var hopeless: Set<Mailbox> = []
      if case .notReached(_, .refused) = error { hopeless = mailboxes }
      note(
        Fault(endpoint: error.endpoint, description: error.reason, hint: error.hint),
        of: place, hopeless: hopeless)
    }
  }

  private func note(_ fault: Fault, of place: String, hopeless: Set<Mailbox> = []) {
    standing.withLock {
      $0.faults[place] = fault
      $0.hopeless.formUnion(hopeless)
    }
    bell.ring()
  }

  private func moved(isInTransfer: Bool) {
    standing.withLock { ($0.lastMove, $0.isInTransfer) = (.now, isInTransfer) }
    bell.ring()
  }

  private func markStored(_ outgoing: WaitingMessage) throws {
    let total = UInt64(outgoing.message.size.chunkCount)
    progress.report(.sending, done: total, of: total)
    try outbox.markStored(outgoing, at: now())
    standing.withLock { $0.isInTransfer = false }
    bell.ring()
    onChange()
  }

  private func take(_ messages: [MessageWriter]) throws {
    // What is no receipt of one of our recipients changes nothing.
    var verified: [Verified<Receipt>] = []
    for message in messages {
      do {
        verified.append(
          try receipts.read(ChunkList(message.inlineChunks), named: message.offer.id))
      } catch is SealingError {
        continue
      }
    }
    guard !verified.isEmpty else { return }
    let readings = try receipts.record(verified, at: now())
    for (receipt, reading) in zip(verified, readings) {
      guard case .mismatch(let field) = reading else { continue }
      log.report(
        .receiptDropped,
        [
          "recipient": "\(receipt.author.name)", "field": "\(field)",
          "message": "\(receipt.body.messageID.abbreviated)",
        ])
    }
    guard readings.contains(.news) else { return }
    bell.ring()
    onChange()
  }
}
