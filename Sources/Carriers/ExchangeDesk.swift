package import Mailboxes
package import MessageFormat

/// Why an exchange cannot go on as it is; it begins anew after a pause.
package enum ExchangeFault: Error {
  /// The carrier said what no carrier says.
  case unexpected(String)
  /// This machine could not, its disk is full for one.
  case machine(String)
}

/// A client's side of the carrier protocol, apart from sockets: says what to send, takes what came, says what to do.
///
/// The mirror of `CarrierDesk`. Belongs to one thread. Source: docs/message-format.md, "Carrier protocol".
package final class ExchangeDesk {
  /// What an answer of the carrier's leads to here.
  package enum Effect {
    /// To be made durable; then `accepted` or `postpone`.
    case accept([Collecting.Whole])
    /// What comes cannot be kept here, as on a full disk: `postpone`.
    case unkept(String)
    case stored(WaitingMessage)
    case refused(Depositing.Refusal)
    case tooLarge(SealedSize)
    /// A step of a large deposit.
    case moved(done: UInt32, of: UInt32)
  }

  /// Far more than a full answer leads to.
  private static let requestCountMax = 1_024

  private var collecting: Collecting
  private var depositing: Depositing
  /// Requests without chunks, which go before everything else.
  private var requests: [CarrierRequest] = []
  package private(set) var isConnected = false
  /// When collecting begins again after a fault of this machine's.
  private var resumption: ContinuousClock.Instant?
  private var faults = Backoff(first: .seconds(1), longest: .seconds(30))
  /// When a carrier that did not wait for mail is asked again.
  private var nextLook: ContinuousClock.Instant?
  private var haste: Backoff
  private let patience: ExchangePatience
  /// When something last came of what we collect.
  private var lastCollected = ContinuousClock.now

  package init(_ settings: ExchangeSettings) {
    patience = settings.patience
    haste = Backoff(first: patience.pauses.first, longest: patience.pauses.longest)
    collecting = Collecting(settings)
    depositing = Depositing(settings)
  }

  package func connected(at now: ContinuousClock.Instant) {
    isConnected = true
    lastCollected = now
    requests = collecting.begin()
  }

  /// What was on its way is lost; `connected` follows when there is a connection again.
  package func interrupted() {
    isConnected = false
    requests = []
    (resumption, nextLook) = (nil, nil)
    depositing.interrupted()
  }

  /// The acknowledgements that are still to be sent.
  var farewell: [Depositing.Step] {
    requests.filter { if case .acknowledge = $0 { true } else { false } }
      .map { Depositing.Step(request: $0) }
  }

  package func outgoingChanged() { depositing.changed() }

  /// When there may be something to do although nothing has come; never without a connection.
  package var nextAttempt: ContinuousClock.Instant? {
    guard isConnected else { return nil }
    return [depositing.nextAttempt, resumption, nextLook].compactMap { $0 }.min()
  }

  /// When the carrier has left us without mail, and without a word that there is none, for too long, whatever else it
  /// says.
  var overdue: ContinuousClock.Instant? {
    isConnected && resumption == nil ? lastCollected + patience.silence : nil
  }

  /// What to send next; `nil`: nothing now.
  package func next(at now: ContinuousClock.Instant) throws(ExchangeFault) -> Depositing.Step? {
    guard isConnected else { return nil }
    if let time = resumption ?? nextLook, time <= now {
      (resumption, nextLook, lastCollected) = (nil, nil, now)
      requests += collecting.startAgain()
    }
    if !requests.isEmpty { return Depositing.Step(request: requests.removeFirst()) }
    do { return try depositing.next(at: now) } catch { throw .machine("\(error)") }
  }

  package func handle(
    _ reply: CarrierReply, chunk: [UInt8]?, at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> Effect? {
    guard requests.count <= Self.requestCountMax else {
      throw .unexpected("more than we asked for")
    }
    switch reply {
    case .proceed(let name, let credit):
      return try depositing.proceed(name, credit: credit, at: now)
        .map { .moved(done: $0, of: $1) }
    case .stored(let id):
      return depositing.stored(id).map { .stored($0) }
    case .refused(let id, let reason, let detail):
      return try refused(id, reason, detail, at: now)
    case .delivery(let entry, let size, let more):
      nextLook = nil
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.announced(entry, size, more: more)
      }
    case .chunk(let name):
      guard let chunk else { throw .unexpected("a chunk without its bytes") }
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.take(chunk, named: name)
      }
    case .empty:
      let hasWaited = lastCollected + patience.mail / 2 <= now
      return try collected(at: now) { () throws(ExchangeFault) in
        (.nothing, try empty(afterWait: hasWaited, at: now))
      }
    case .acknowledged(let entry):
      collecting.acknowledged(entry)
      return nil
    }
  }

  /// To wait for mail is the carrier's part: one that says at once that there is none is not asked again at once.
  private func empty(
    afterWait hasWaited: Bool, at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> [CarrierRequest] {
    let again = try collecting.empty()
    guard !hasWaited else {
      haste.reset()
      return again
    }
    nextLook = nextLook ?? now + haste.next()
    return []
  }

  private func collected(
    at now: ContinuousClock.Instant,
    _ step: () throws(ExchangeFault) -> (Collecting.Outcome, [CarrierRequest])
  ) throws(ExchangeFault) -> Effect? {
    guard resumption == nil else { return nil }
    lastCollected = now
    let outcome: Collecting.Outcome
    do throws(ExchangeFault) {
      let (result, more) = try step()
      outcome = result
      requests += more
    } catch .machine(let what) {
      return .unkept(what)
    } catch {
      throw error
    }
    switch outcome {
    case .nothing: return nil
    case .arrived(let messages): return .accept(messages)
    case .tooLarge(_, let size): return .tooLarge(size)
    }
  }

  private func refused(
    _ id: MessageID?, _ reason: CarrierRefusal, _ detail: String,
    at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> Effect? {
    guard let id else { throw .unexpected("\(reason.rawValue): \(detail)") }
    // An identity's deposits and its mail never have the same id, unless the carrier makes it so.
    if let effect = try collected(at: now, { () throws(ExchangeFault) in collecting.refused(id) }) {
      return effect
    }
    return depositing.refused(id, reason, detail: detail, at: now).map { .refused($0) }
  }

  package func accepted(_ messages: [Collecting.Whole], at now: ContinuousClock.Instant) {
    faults.reset()
    lastCollected = now
    requests += collecting.accepted(messages)
  }

  /// They could not be made durable here: the carrier keeps them, and they are collected again.
  package func postpone(at now: ContinuousClock.Instant) { resumption = now + faults.next() }
}
