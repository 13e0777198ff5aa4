import Host
package import Mailboxes
package import MessageFormat

/// The half of an exchange that hands our messages over: in order, several on their way at a time, each for all of its
/// mailboxes at once. Where some of them are refused, the rest is offered anew in one deposit, so that a full one holds up
/// nobody else; and what is smaller than what a quota has no room for goes on.
package struct Depositing {
  /// A request and, with a chunk, its bytes.
  package struct Step {
    package let request: CarrierRequest
    package var chunk: [UInt8]?
  }

  private struct Deposit {
    let message: StoredMessage
    let offer: DepositOffer
    let chunks: StoredChunks
    /// Since when it is on its way without an answer; `nil`: it is not on its way.
    var silentSince: ContinuousClock.Instant?
    /// When somebody has to look after it.
    var lookTime: ContinuousClock.Instant?
    /// The carrier may have a part of it: it says from where it goes on.
    var isResumed = false
    var next: UInt32 = 0
    var end: UInt32
    /// How many of its chunks the carrier has said to have.
    var confirmedCount: UInt32?

    var isOffered: Bool { silentSince != nil }
    var isSent: Bool { isOffered && next == chunks.count }

    init(
      _ message: StoredMessage, _ chunks: StoredChunks, for mailboxes: [Mailbox], slot: Slot?
    ) {
      self.message = message
      self.chunks = chunks
      offer = DepositOffer(id: message.id, mailboxes: mailboxes, size: message.size, slot: slot)
      end = min(chunks.count, Limits.creditMax)
    }

    mutating func heard(at now: ContinuousClock.Instant, timeouts: ExchangeTimeouts) {
      (silentSince, lookTime) = (now, now + timeouts.answer)
    }

    /// It is to be offered again, and to go on where the carrier then says.
    mutating func begin() {
      (silentSince, lookTime, isResumed, confirmedCount) = (nil, nil, true, nil)
      (next, end) = (0, 0)
    }
  }

  /// What was refused for one mailbox.
  package struct Refusal {
    package let message: StoredMessage
    package let mailbox: Mailbox
    package let reason: CarrierRefusal
    package let detail: String

    package init(
      message: StoredMessage, mailbox: Mailbox, reason: CarrierRefusal, detail: String
    ) {
      (self.message, self.mailbox) = (message, mailbox)
      (self.reason, self.detail) = (reason, detail)
    }
  }

  /// A message of ours that could not be read here.
  package struct Fault {
    let message: MessageID
    let error: MailboxError

    package init(message: MessageID, error: MailboxError) {
      (self.message, self.error) = (message, error)
    }
  }

  private let mailboxes: Set<Mailbox>
  private let store: MailboxStore
  private let turn: FailoverTurn
  private let timeouts: ExchangeTimeouts
  private var queue: [Deposit] = []
  private var holds: [Mailbox: DepositHold] = [:]
  private var unreadable = UnreadableMessages()
  private var faults: [Fault] = []
  private var isStale = true

  init(_ port: CarrierPort, _ timeouts: ExchangeTimeouts) {
    mailboxes = port.correspondents
    (store, turn) = (port.store, port.turn)
    self.timeouts = timeouts
  }

  /// Something new may wait in the store.
  mutating func changed() { isStale = true }

  /// When there is something to do although nothing has come.
  var nextAttempt: ContinuousClock.Instant? {
    [holdEnd, nextLook, unreadable.nextEnd, turn.next].compactMap { $0 }.min()
  }

  /// When a mailbox that was refused is tried again.
  private var holdEnd: ContinuousClock.Instant? { holds.values.compactMap(\.until).min() }

  private var nextLook: ContinuousClock.Instant? { queue.compactMap(\.lookTime).min() }

  /// A connection has ended: everything that is on its way is offered again, in its order.
  mutating func interrupted() {
    for index in queue.indices where queue[index].isOffered { queue[index].begin() }
  }

  /// What to send next; `nil`: nothing now.
  mutating func next(at now: ContinuousClock.Instant) throws(MailboxError) -> Step? {
    for case let end? in [holdEnd, unreadable.nextEnd, turn.next] where end <= now {
      isStale = true
    }
    if let look = nextLook, look <= now { try lookAfterSilentOnes(at: now) }
    if isStale { try refill(at: now) }
    guard let index = queue.firstIndex(where: { !$0.isSent }),
      index < Limits.openDepositCountMax
    else { return nil }
    guard queue[index].isOffered else {
      // Answers name a message, not a deposit of it.
      let id = queue[index].offer.id
      guard !queue[..<index].contains(where: { $0.offer.id == id }) else { return nil }
      guard try isWaiting(queue[index].offer) else {
        // Another run has handed it over since it was queued.
        queue.remove(at: index)
        isStale = true
        return try next(at: now)
      }
      queue[index].heard(at: now, timeouts: timeouts)
      return Step(request: .deposit(queue[index].offer))
    }
    let number = queue[index].next
    guard number < queue[index].end else { return nil }
    queue[index].next += 1
    let (name, chunks) = (ChunkName(id: queue[index].offer.id, index: number), queue[index].chunks)
    let chunk = try reading(name.id, at: now) { () throws(MailboxError) in try chunks[number] }
    guard let chunk else {
      queue.removeAll { $0.offer.id == name.id }
      return try next(at: now)
    }
    return Step(request: .chunk(name), chunk: chunk)
  }

  private mutating func refill(at now: ContinuousClock.Instant) throws(MailboxError) {
    isStale = false
    for (mailbox, hold) in holds {
      if let until = hold.until, until <= now { holds[mailbox]?.until = nil }
    }
    var known: [MessageID: Set<Mailbox>] = [:]
    for deposit in queue { known[deposit.offer.id, default: []].formUnion(deposit.offer.mailboxes) }
    let bounds = holds.filter { $0.value.until != nil }.mapValues(\.byteCount)
    let open = try turn.mailboxes(
      of: mailboxes.subtracting(bounds.filter { $0.value == 0 }.keys), in: store, at: now)
    unreadable.forgetEnded(at: now)
    let countMax = 2 * Limits.openDepositCountMax + unreadable.count
    for outgoing in try store.outgoing(
      for: open, smallerThan: bounds, countMax: countMax)
    where !unreadable.contains(outgoing.message.id) {
      let left = outgoing.mailboxes.filter { known[outgoing.message.id]?.contains($0) != true }
      guard !left.isEmpty else { continue }
      let chunks = try reading(outgoing.message.id, at: now) { () throws(MailboxError) in
        try outgoing.message.openVerified()
      }
      guard let chunks else { continue }
      queue.append(Deposit(outgoing.message, chunks, for: left, slot: outgoing.slot))
    }
  }

  /// Reads of one message; `nil`: the disk has lost it, and its recipients turn out to be behind, or it cannot be read, and
  /// is passed over for a while. What is behind it goes on.
  private mutating func reading<Value>(
    _ id: MessageID, at now: ContinuousClock.Instant, _ body: () throws(MailboxError) -> Value
  ) throws(MailboxError) -> Value? {
    do throws(MailboxError) {
      return try body()
    } catch {
      guard error.isOfOneMessage else { throw error }
      // Another run may have handed it over meanwhile.
      guard try store.contains(id) else { return nil }
      if error.isLoss { try store.discard(id) } else { unreadable.add(id, at: now) }
      faults.append(Fault(message: id, error: error))
      return nil
    }
  }

  /// What could not be read since the last time.
  mutating func takeFaults() -> [Fault] {
    defer { faults = [] }
    return faults
  }

  /// A deposit is the identity's, and the carrier answers the last connection: another run of ours may have taken one
  /// over, finished it, or ended in the middle of it.
  private mutating func lookAfterSilentOnes(
    at now: ContinuousClock.Instant
  ) throws(MailboxError) {
    for index in queue.indices.reversed() {
      guard let since = queue[index].silentSince, let look = queue[index].lookTime, look <= now
      else { continue }
      if try !isWaiting(queue[index].offer) {
        queue.remove(at: index)
        isStale = true
      } else if since + timeouts.progress <= now {
        queue[index].begin()
      } else {
        queue[index].lookTime = now + timeouts.answer
      }
    }
  }

  private func isWaiting(_ offer: DepositOffer) throws(MailboxError) -> Bool {
    for mailbox in offer.mailboxes {
      if try store.message(offer.id, in: mailbox) != nil { return true }
    }
    return false
  }
}

// MARK: - Answers

extension Depositing {
  /// How many of its chunks the carrier has; `nil`: nothing that we know of.
  mutating func proceed(
    _ name: ChunkName, credit: UInt32, at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> (mailboxes: [Mailbox], done: UInt32, total: UInt32)? {
    guard let index = queue.firstIndex(where: { $0.offer.id == name.id && $0.isOffered }) else {
      return nil
    }
    guard name.index < queue[index].chunks.count else {
      throw .unexpected("it asks for chunk \(name.index) of \(queue[index].chunks.count)")
    }
    queue[index].heard(at: now, timeouts: timeouts)
    // What is under way already is behind `next`.
    queue[index].next =
      queue[index].isResumed ? name.index : max(queue[index].next, name.index)
    queue[index].isResumed = false
    queue[index].end = min(
      queue[index].chunks.count, max(queue[index].end, name.index + credit))
    if let confirmed = queue[index].confirmedCount, name.index <= confirmed { return nil }
    queue[index].confirmedCount = name.index
    return (queue[index].offer.mailboxes, name.index, queue[index].chunks.count)
  }

  /// What was handed over; `nil`: nothing that we know of.
  mutating func stored(_ id: MessageID) -> WaitingMessage? {
    guard let index = queue.firstIndex(where: { $0.offer.id == id && $0.isOffered }) else {
      return nil
    }
    let deposit = queue.remove(at: index)
    for mailbox in deposit.offer.mailboxes
    where holds[mailbox].map({ deposit.offer.size.byteCount >= $0.byteCount }) ?? false {
      holds[mailbox] = nil
    }
    if queue.count < Limits.openDepositCountMax { isStale = true }
    return WaitingMessage(
      message: deposit.message, mailboxes: deposit.offer.mailboxes, slot: deposit.offer.slot)
  }

  /// Of which mailboxes a deposit was refused; the carrier names them, or means all. For the rest it is offered anew.
  mutating func refused(
    _ id: MessageID, _ reason: CarrierRefusal, for named: [Mailbox], detail: String,
    at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> [Refusal] {
    guard let index = queue.firstIndex(where: { $0.offer.id == id && $0.isOffered }) else {
      return []
    }
    let deposit = queue[index]
    let mailboxes = named.isEmpty ? deposit.offer.mailboxes : named
    guard Set(mailboxes).isSubset(of: deposit.offer.mailboxes) else {
      throw .unexpected("it refuses a mailbox that was not offered")
    }
    queue.remove(at: index)
    for mailbox in mailboxes { hold(mailbox, deposit.offer.size, reason, at: now) }
    isStale = true
    return mailboxes.map {
      Refusal(message: deposit.message, mailbox: $0, reason: reason, detail: detail)
    }
  }

  private mutating func hold(
    _ mailbox: Mailbox, _ size: SealedSize, _ reason: CarrierRefusal,
    at now: ContinuousClock.Instant
  ) {
    var hold = holds[mailbox] ?? DepositHold(jitter: timeouts.jitter)
    let isOfSize = reason == .overQuota || reason == .overLimit
    hold.begin(isOfSize ? size.byteCount : 0, at: now)
    holds[mailbox] = hold
    // What is not on its way yet and as large waits as well; for others it is offered anew, without it.
    queue.removeAll {
      !$0.isOffered && $0.offer.mailboxes.contains(mailbox)
        && hold.holds($0.offer.size.byteCount)
    }
  }
}
