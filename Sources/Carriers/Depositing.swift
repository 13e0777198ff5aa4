import Mailboxes
import MessageFormat

/// The half of an exchange that hands our messages over: in order, several on their way at a time, each for all of its
/// mailboxes at once. One that is refused is tried mailbox by mailbox, so that a full one holds up nobody else.
struct Depositing {
  /// A request and, with a chunk, its bytes.
  struct Step {
    let request: CarrierRequest
    var chunk: [UInt8]?
  }

  private struct Deposit {
    let message: StoredMessage
    let offer: DepositOffer
    let chunks: StoredChunks
    var isOffered = false
    /// The carrier may have a part of it: it says from where it goes on.
    var isResumed = false
    var next: UInt32 = 0
    var end: UInt32

    /// How many of its chunks the carrier has said to have.
    var confirmedCount: UInt32?

    var isSent: Bool { isOffered && next == chunks.count }
  }

  private struct Hold {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(60))
    /// `nil`: it is being tried.
    var until: ContinuousClock.Instant?
  }

  /// What was refused for one mailbox.
  struct Refusal {
    let message: StoredMessage
    let mailbox: Mailbox
    let reason: CarrierRefusal
    let detail: String
  }

  private let mailboxes: Set<Mailbox>
  private let store: MailboxStore
  private var queue: [Deposit] = []
  private var holds: [Mailbox: Hold] = [:]
  private var isStale = true
  /// When the carrier last came further with what we have offered; `nil`: nothing is on its way.
  private(set) var lastStep: ContinuousClock.Instant?

  init(mailboxes: Set<Mailbox>, store: MailboxStore) {
    self.mailboxes = mailboxes
    self.store = store
  }

  var isIdle: Bool { queue.isEmpty }

  /// Something new may wait in the store.
  mutating func changed() { isStale = true }

  /// When a mailbox that was refused is tried again.
  var nextAttempt: ContinuousClock.Instant? { holds.values.compactMap(\.until).min() }

  /// A connection has ended: everything that is on its way is offered again, in its order.
  mutating func interrupted() {
    lastStep = nil
    for index in queue.indices where queue[index].isOffered {
      queue[index].isOffered = false
      queue[index].isResumed = true
      queue[index].confirmedCount = nil
      (queue[index].next, queue[index].end) = (0, 0)
    }
  }

  /// What to send next; `nil`: nothing now.
  mutating func next(at now: ContinuousClock.Instant) throws(MailboxError) -> Step? {
    if let attempt = nextAttempt, attempt <= now { isStale = true }
    if isStale { try refill(at: now) }
    guard let index = queue.firstIndex(where: { !$0.isSent }),
      index < Limits.openDepositCountMax
    else { return nil }
    guard queue[index].isOffered else {
      // Answers name a message, not a deposit of it.
      let id = queue[index].offer.id
      guard !queue[..<index].contains(where: { $0.offer.id == id }) else { return nil }
      queue[index].isOffered = true
      lastStep = lastStep ?? now
      return Step(request: .deposit(queue[index].offer))
    }
    let number = queue[index].next
    guard number < queue[index].end else { return nil }
    queue[index].next += 1
    return Step(
      request: .chunk(ChunkName(id: queue[index].offer.id, index: number)),
      chunk: try queue[index].chunks[number])
  }

  private mutating func refill(at now: ContinuousClock.Instant) throws(MailboxError) {
    isStale = false
    for (mailbox, hold) in holds {
      if let until = hold.until, until <= now { holds[mailbox]?.until = nil }
    }
    var known: [MessageID: Set<Mailbox>] = [:]
    for deposit in queue { known[deposit.offer.id, default: []].formUnion(deposit.offer.mailboxes) }
    let open = mailboxes.filter { holds[$0]?.until == nil }
    for outgoing in try store.outgoing(for: open, countMax: 2 * Limits.openDepositCountMax) {
      let left = outgoing.mailboxes.filter { known[outgoing.message.id]?.contains($0) != true }
      guard !left.isEmpty else { continue }
      try append(outgoing.message, for: left, slot: outgoing.slot, at: queue.count)
    }
  }

  private mutating func append(
    _ message: StoredMessage, for mailboxes: [Mailbox], slot: Slot?, at index: Int
  ) throws(MailboxError) {
    let chunks: StoredChunks
    do throws(MailboxError) {
      chunks = try message.open()
    } catch {
      // Another run has handed it over meanwhile.
      guard try store.message(message.id, in: message.mailbox) != nil else { return }
      throw error
    }
    let offer = DepositOffer(
      id: message.id, mailboxes: mailboxes, size: message.size, slot: slot)
    queue.insert(
      Deposit(
        message: message, offer: offer, chunks: chunks, end: min(chunks.count, Limits.creditMax)),
      at: index)
  }
}

// MARK: - Answers

extension Depositing {
  /// How many of its chunks the carrier has; `nil`: nothing that we know of, or no more than before.
  mutating func proceed(
    _ name: ChunkName, credit: UInt32, at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> (done: UInt32, total: UInt32)? {
    guard let index = queue.firstIndex(where: { $0.offer.id == name.id && $0.isOffered }) else {
      return nil
    }
    guard name.index < queue[index].chunks.count else {
      throw .unexpected("it asks for chunk \(name.index) of \(queue[index].chunks.count)")
    }
    // What is under way already is behind `next`.
    queue[index].next =
      queue[index].isResumed ? name.index : max(queue[index].next, name.index)
    queue[index].isResumed = false
    queue[index].end = min(
      queue[index].chunks.count, max(queue[index].end, name.index + credit))
    if let confirmed = queue[index].confirmedCount, name.index <= confirmed { return nil }
    queue[index].confirmedCount = name.index
    lastStep = now
    return (name.index, queue[index].chunks.count)
  }

  /// What was handed over; `nil`: nothing that we know of.
  mutating func stored(_ id: MessageID, at now: ContinuousClock.Instant) -> WaitingMessage? {
    guard let index = queue.firstIndex(where: { $0.offer.id == id && $0.isOffered }) else {
      return nil
    }
    let deposit = queue.remove(at: index)
    noteStep(at: now)
    for mailbox in deposit.offer.mailboxes { holds[mailbox] = nil }
    if queue.count < Limits.openDepositCountMax { isStale = true }
    return WaitingMessage(
      message: deposit.message, mailboxes: deposit.offer.mailboxes, slot: deposit.offer.slot)
  }

  private mutating func noteStep(at now: ContinuousClock.Instant) {
    lastStep = queue.contains(where: \.isOffered) ? now : nil
  }

  /// `nil`: each mailbox of it is tried alone.
  mutating func refused(
    _ id: MessageID, _ reason: CarrierRefusal, detail: String, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> Refusal? {
    guard let index = queue.firstIndex(where: { $0.offer.id == id && $0.isOffered }) else {
      return nil
    }
    let deposit = queue.remove(at: index)
    noteStep(at: now)
    if deposit.offer.mailboxes.count > 1 {
      for mailbox in deposit.offer.mailboxes.reversed() {
        try append(deposit.message, for: [mailbox], slot: deposit.offer.slot, at: index)
      }
      return nil
    }
    let mailbox = deposit.offer.mailboxes[0]
    var hold = holds[mailbox] ?? Hold()
    hold.until = now + hold.backoff.next()
    holds[mailbox] = hold
    // What is for it alone and not on its way yet waits as well; for others it is offered anew, without it.
    queue.removeAll { !$0.isOffered && $0.offer.mailboxes.contains(mailbox) }
    isStale = true
    return Refusal(message: deposit.message, mailbox: mailbox, reason: reason, detail: detail)
  }
}
