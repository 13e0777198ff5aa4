import Host
package import Mailboxes
package import MessageFormat

/// Why an exchange cannot go on as it is; it begins anew after a pause.
package enum ExchangeFault: Error, CustomStringConvertible {
  /// The carrier said what no carrier says.
  case unexpected(String)
  /// This machine could not, its disk is full for one.
  case machine(String)
  /// No room for what would come.
  case full(String)

  package var description: String {
    switch self {
    case .unexpected(let what), .machine(let what), .full(let what): what
    }
  }
}

/// A client's side of the carrier protocol, apart from sockets: says what to send, takes what came, says what to do.
///
/// The mirror of `MailboxServer`. Belongs to one thread. Source: docs/message-format.md, "Carrier protocol".
package final class MailboxClient {
  /// What an answer of the carrier's leads to here.
  package enum Effect {
    /// To be made durable; then `accepted` or `postpone`.
    case accept([Collecting.Whole])
    /// What comes cannot be kept here, as on a full disk: `postpone`.
    case unkept(String)
    /// As much waits here as may: `postpone`.
    case full(String)
    case stored(WaitingMessage)
    /// Of one message, for each mailbox that is concerned.
    case refused([Depositing.Refusal])
    case tooLarge(SealedSize)
    /// Told once of each: it waits at the carrier.
    case noRoom(SealedSize, String)
    /// The carrier has nothing more for us.
    case empty
    /// A step of a large deposit.
    case moved([Mailbox], done: UInt32, of: UInt32)
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
  private var faults: Backoff
  /// When a carrier that did not wait for mail is asked again.
  private var nextLook: ContinuousClock.Instant?
  private var haste: Backoff
  private let timeouts: ExchangeTimeouts
  /// When `collect` was last sent.
  private var askedAt = ContinuousClock.now
  /// When mail was last asked for, or some of it came.
  private var lastCollected = ContinuousClock.now

  package init(_ port: CarrierPort, _ timeouts: ExchangeTimeouts = ExchangeTimeouts()) {
    self.timeouts = timeouts
    let longest = min(timeouts.pauses.longest, timeouts.delay / 2)
    haste = Backoff(
      first: min(timeouts.pauses.first, longest), longest: longest, jitter: timeouts.jitter)
    faults = Backoff(first: .seconds(1), longest: .seconds(30), jitter: timeouts.jitter)
    collecting = Collecting(port, timeouts)
    depositing = Depositing(port, timeouts)
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

  /// The program ends: what has come of a message is there for its next run.
  package func keep() throws(MailboxError) { try collecting.keep() }

  /// The acknowledgements that are still to be sent.
  var farewell: [Depositing.Step] {
    requests.filter { if case .acknowledge = $0 { true } else { false } }
      .map { Depositing.Step(request: $0) }
  }

  /// Messages of ours that could not be read since the last time.
  func takeFaults() -> [Depositing.Fault] { depositing.takeFaults() }

  package func outgoingChanged() { depositing.changed() }

  /// When there may be something to do although nothing has come; never without a connection.
  package var nextAttempt: ContinuousClock.Instant? {
    guard isConnected else { return nil }
    return [depositing.nextAttempt, resumption, nextLook].compactMap { $0 }.min()
  }

  /// When the carrier has left us without mail, and without a word that there is none, for too long, whatever else it
  /// says.
  package var overdue: ContinuousClock.Instant? {
    isConnected && resumption == nil && nextLook == nil ? lastCollected + timeouts.silence : nil
  }

  /// What to send next; `nil`: nothing now.
  package func next(at now: ContinuousClock.Instant) throws(ExchangeFault) -> Depositing.Step? {
    guard isConnected else { return nil }
    if let time = resumption, time <= now {
      (resumption, nextLook) = (nil, nil)
      requests += collecting.startAgain()
    }
    if let time = nextLook, time <= now {
      nextLook = nil
      requests += collecting.ask()
    }
    if !requests.isEmpty {
      let request = requests.removeFirst()
      switch request {
      case .collect: (askedAt, lastCollected) = (now, now)
      case .fetch: lastCollected = now
      default: break
      }
      return Depositing.Step(request: request)
    }
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
        .map { .moved($0, done: $1, of: $2) }
    case .stored(let id):
      return depositing.stored(id).map { .stored($0) }
    case .refused(let id, let reason, let mailboxes, let detail):
      return try refused(id, reason, mailboxes, detail, at: now)
    case .delivery(let entry, let size, let more):
      nextLook = nil
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.announced(entry, size, more: more, at: now)
      }
    case .chunk(let name):
      guard let chunk else { throw .unexpected("a chunk without its bytes") }
      return try collected(at: now) { () throws(ExchangeFault) in
        try collecting.take(chunk, named: name)
      }
    case .empty:
      return try collected(at: now) { () throws(ExchangeFault) in
        (.nothing, try collecting.empty(at: now))
      } ?? .empty
    case .acknowledged(let entry):
      collecting.acknowledged(entry)
      return nil
    }
  }

  /// To wait for mail is the carrier's part: one that answers at once, and brings nothing, is not asked again at once.
  private func paced(
    _ more: [CarrierRequest], at now: ContinuousClock.Instant
  ) -> [CarrierRequest] {
    guard !collecting.takeHaste(), case .collect = more.last else { return more }
    guard askedAt + timeouts.mail / 2 > now else {
      haste.reset()
      return more
    }
    nextLook = nextLook ?? now + haste.next()
    return more.dropLast()
  }

  private func collected(
    at now: ContinuousClock.Instant,
    _ step: () throws(ExchangeFault) -> (Collecting.Progress, [CarrierRequest])
  ) throws(ExchangeFault) -> Effect? {
    guard resumption == nil else { return nil }
    let progress: Collecting.Progress
    do throws(ExchangeFault) {
      let (result, more) = try step()
      progress = result
      requests += paced(more, at: now)
    } catch .machine(let what) {
      return .unkept(what)
    } catch .full(let what) {
      return .full(what)
    } catch {
      throw error
    }
    if case .unrelated = progress { return nil }
    lastCollected = now
    switch progress {
    case .nothing, .unrelated: return nil
    case .arrived(let messages): return .accept(messages)
    case .tooLarge(_, let size): return .tooLarge(size)
    case .noRoom(let size, let what): return .noRoom(size, what)
    }
  }

  private func refused(
    _ id: MessageID?, _ reason: CarrierRefusal, _ mailboxes: [Mailbox], _ detail: String,
    at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> Effect? {
    guard let id else { throw .unexpected("\(reason.rawValue): \(detail)") }
    // An identity's deposits and its mail never have the same id, unless the carrier makes it so.
    if let effect = try collected(
      at: now, { () throws(ExchangeFault) in try collecting.refused(id) })
    {
      return effect
    }
    let refusals = try depositing.refused(id, reason, for: mailboxes, detail: detail, at: now)
    return refusals.isEmpty ? nil : .refused(refusals)
  }

  package func accepted(_ messages: [Collecting.Whole], at now: ContinuousClock.Instant) {
    faults.reset()
    haste.reset()
    lastCollected = now
    requests += collecting.accepted(messages)
  }

  /// They could not be made durable here: the carrier keeps them, and they are collected again.
  package func postpone(at now: ContinuousClock.Instant) { resumption = now + faults.next() }
}
