import Mailboxes
import MessageFormat

/// Why an exchange cannot go on as it is; it begins anew after a pause.
enum ExchangeFault: Error {
  /// The carrier said what no carrier says.
  case unexpected(String)
  /// This machine could not, its disk is full for one.
  case machine(String)
}

/// A client's side of the carrier protocol, apart from sockets: says what to send, takes what came, says what to do.
///
/// The mirror of `CarrierDesk`. Belongs to one thread. Source: docs/message-format.md, "Carrier protocol".
final class ExchangeDesk {
  /// What an answer of the carrier's leads to here.
  enum Effect {
    /// To be made durable; then `accepted` or `postpone`.
    case accept([Collecting.Whole])
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
  private(set) var isConnected = false
  /// When collecting begins again after a fault of this machine's.
  private var resumption: ContinuousClock.Instant?
  private var faults = Backoff(first: .seconds(1), longest: .seconds(30))
  private let times: ExchangeTimes
  /// When something last came of what we collect.
  private var lastCollected = ContinuousClock.now

  init(_ settings: ExchangeSettings) {
    times = settings.times
    collecting = Collecting(settings)
    depositing = Depositing(mailboxes: settings.correspondents, store: settings.store)
  }

  func connected(at now: ContinuousClock.Instant) {
    isConnected = true
    lastCollected = now
    requests = collecting.begin()
  }

  /// What was on its way is lost; `connected` follows when there is a connection again.
  func interrupted() {
    isConnected = false
    requests = []
    resumption = nil
    depositing.interrupted()
  }

  func outgoingChanged() { depositing.changed() }

  /// When there may be something to do although nothing has come.
  var nextAttempt: ContinuousClock.Instant? {
    [depositing.nextAttempt, resumption].compactMap { $0 }.min()
  }

  /// When the carrier has left one of our two questions unanswered for too long, whatever else it says.
  var overdue: ContinuousClock.Instant? {
    guard isConnected else { return nil }
    let collect = resumption == nil ? lastCollected + times.silenceMax : nil
    let deposit = depositing.lastStep.map { $0 + times.depositStepMax }
    return [collect, deposit].compactMap { $0 }.min()
  }

  /// What to send next; `nil`: nothing now.
  func next(at now: ContinuousClock.Instant) throws(ExchangeFault) -> Depositing.Step? {
    guard isConnected else { return nil }
    if let time = resumption, time <= now {
      (resumption, lastCollected) = (nil, now)
      requests += collecting.startAgain()
    }
    if !requests.isEmpty { return Depositing.Step(request: requests.removeFirst()) }
    do { return try depositing.next(at: now) } catch { throw .machine("\(error)") }
  }

  func handle(
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
      return depositing.stored(id, at: now).map { .stored($0) }
    case .refused(let id, let reason, let detail):
      return try refused(id, reason, detail, at: now)
    case .delivery(let entry, let size, let more):
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.announced(entry, size, more: more)
      }
    case .chunk(let name):
      guard let chunk else { throw .unexpected("a chunk without its bytes") }
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.take(chunk, named: name)
      }
    case .empty:
      return try collected(at: now) { () throws(ExchangeFault) in
        (.nothing, try collecting.empty())
      }
    case .acknowledged(let entry):
      collecting.acknowledged(entry)
      return nil
    }
  }

  private func collected(
    at now: ContinuousClock.Instant,
    _ step: () throws(ExchangeFault) -> (Collecting.Outcome, [CarrierRequest])
  ) throws(ExchangeFault) -> Effect? {
    guard resumption == nil else { return nil }
    lastCollected = now
    let (outcome, more) = try step()
    requests += more
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
    do {
      return try depositing.refused(id, reason, detail: detail, at: now).map { .refused($0) }
    } catch {
      throw .machine("\(error)")
    }
  }

  func accepted(_ messages: [Collecting.Whole], at now: ContinuousClock.Instant) {
    faults.reset()
    lastCollected = now
    requests += collecting.accepted(messages)
  }

  /// They could not be made durable here: the carrier keeps them, and they are collected again.
  func postpone(at now: ContinuousClock.Instant) { resumption = now + faults.next() }
}
