package import Carriers
import Dispatch
package import Logging
import Mailboxes
package import MessageFormat
import Sealing
import Sodium
import Synchronization
import ZeroMQ

/// Moves what lies in the outbox to the carriers, and takes in the receipts: one exchange for each carrier.
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
  private let patience: ExchangeTimeouts
  private let standing = Mutex(Standing())
  private let bell = DispatchSemaphore(value: 0)
  private let exchanges = Mutex<[Exchange]>([])

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
    now: @escaping @Sendable () -> Timestamp, patience: ExchangeTimeouts = ExchangeTimeouts(),
    onChange: @escaping @Sendable () -> Void = {}
  ) {
    self.settings = settings
    self.outbox = outbox
    receipts = ReceiptReader(settings, outbox: outbox)
    self.progress = progress
    self.log = log
    self.now = now
    self.patience = patience
    self.onChange = onChange
  }

  /// Begins to connect to each carrier that leads to one of `recipients`.
  package func start(for recipients: Set<Mailbox>) throws {
    let context = try Context()
    for carrier in settings.carriers {
      let mailboxes = settings.mailboxes(behind: carrier)
      guard !mailboxes.isDisjoint(with: recipients) else { continue }
      let identity = settings.identity
      let exchange = try Exchange(
        ExchangeSettings(
          endpoint: carrier.endpoint,
          server: CurvePublicKey(carrier.server.transportKey.bytes),
          identity: TransportIdentity(identity), mailbox: identity.public.mailbox,
          byteCountMax: Self.receiptByteCountMax, store: outbox.store, correspondents: mailboxes,
          patience: patience),
        in: context, handlers: handlers(of: carrier, for: mailboxes), log: log)
      exchanges.withLock { $0.append(exchange) }
    }
  }

  /// Something new waits in the outbox.
  package func outboxChanged() {
    for exchange in exchanges.withLock({ $0 }) { exchange.outgoingChanged() }
  }

  /// How late the loop of a carrier is with its next turn.
  package var delay: Duration { exchanges.withLock { $0 }.map(\.delay).max() ?? .zero }

  package func stop() {
    let running = exchanges.withLock { list in
      defer { list = [] }
      return list
    }
    for exchange in running { exchange.stop() }
  }

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
      _ = bell.wait(timeout: .now() + .nanoseconds(Int(rest / .nanoseconds(1))))
    }
  }
}

// MARK: - What the exchanges tell

extension Delivery {
  private func handlers(
    of carrier: SignerCarrier, for mailboxes: Set<Mailbox>
  ) -> ExchangeHandlers {
    var handlers = ExchangeHandlers(
      accept: { [self] in try take($0) }, stored: { [self] in try markStored($0) })
    handlers.refused = { [self] refusal in
      standing.withLock {
        _ = $0.refused.insert(Refused(message: refusal.message, mailbox: refusal.mailbox))
      }
      // Over a limit is this message, and others for the same mailbox may fit; all else is the mailbox's.
      let isOfSize = [.overQuota, .overLimit].contains(refusal.reason)
      note(
        Fault(
          endpoint: carrier.endpoint,
          description: "refused to store: \(refusal.reason.rawValue): \(refusal.detail)",
          hint: nil), of: carrier, hopeless: isOfSize ? [] : [refusal.mailbox])
    }
    handlers.stateChanged = { [self] state in changed(to: state, carrier, mailboxes) }
    handlers.moved = { [self] done, total in
      progress.report(.sending, done: UInt64(done), of: UInt64(total))
      // What is sent in one go is no transfer that one would watch.
      if total > Limits.creditMax { moved(isInTransfer: done < total) }
    }
    return handlers
  }

  private func changed(
    to state: ExchangeState, _ carrier: SignerCarrier, _ mailboxes: Set<Mailbox>
  ) {
    switch state {
    case .connecting: break
    case .connected:
      standing.withLock { standing in
        standing.faults[carrier.endpoint] = nil
        // Once: a line that breaks all the time is not waited for for ever.
        if standing.reached.insert(carrier.endpoint).inserted { standing.lastMove = .now }
      }
      bell.signal()
    case .failed(let error):
      var hopeless: Set<Mailbox> = []
      if case .notReached(_, .refused) = error { hopeless = mailboxes }
      note(
        Fault(endpoint: error.endpoint, description: error.reason, hint: error.hint),
        of: carrier, hopeless: hopeless)
    }
  }

  private func note(_ fault: Fault, of carrier: SignerCarrier, hopeless: Set<Mailbox> = []) {
    standing.withLock {
      $0.faults[carrier.endpoint] = fault
      $0.hopeless.formUnion(hopeless)
    }
    bell.signal()
  }

  private func moved(isInTransfer: Bool) {
    standing.withLock { ($0.lastMove, $0.isInTransfer) = (.now, isInTransfer) }
    bell.signal()
  }

  private func markStored(_ outgoing: WaitingMessage) throws {
    let total = UInt64(outgoing.message.size.chunkCount)
    progress.report(.sending, done: total, of: total)
    try outbox.markStored(outgoing, at: now())
    standing.withLock { $0.isInTransfer = false }
    bell.signal()
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
    bell.signal()
    onChange()
  }
}
