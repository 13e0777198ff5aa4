import CarrierProtocol
import Mailboxes
import MessageFormat

/// The half that publishes our messages: in order, each into the queues of its recipients, so many pieces at a time without
/// a confirm. A queue that is refused holds up no other, and goes on where it was.
struct BrokerSending {
  struct Step {
    let message: BrokerMessage
    let mailbox: Mailbox
  }

  private static let progressCountMax = 4_096
  /// What costs less is sent again: 16 MiB, and 8 MiB at an orderly end.
  private static let notedStepMax: UInt32 = 128
  private static let notedStepMin: UInt32 = 64
  /// Worth a step of our disk while there is still something to publish.
  private static let finishedCountMax = 128
  /// What was read so lately is not looked up again before it is published.
  private static let freshFor: Duration = .milliseconds(500)

  private let mailboxes: Set<Mailbox>
  private let store: MailboxStore
  private let turn: FailoverTurn
  private let timeouts: ExchangeTimeouts
  private let place: String
  private var uploads = UploadQueue()
  /// Pieces on their way.
  private var unconfirmed = OpenPieces()
  /// Confirmed whole: our store is to forget them.
  private var finished: [Upload] = []
  /// What a refused queue has of a message.
  private var progress: [Upload.Key: UInt32] = [:]
  private var holds: [Mailbox: DepositHold] = [:]
  private var unreadable = UnreadableMessages()
  private var faults: [Depositing.Fault] = []
  private var isStale = true
  /// More waits in the store than there was room for.
  private var hasMore = false
  private var refilled: ContinuousClock.Instant?
  /// Since when nothing was heard of what is on its way.
  private var silentSince: ContinuousClock.Instant?

  init(_ port: CarrierPort, to place: String, _ timeouts: ExchangeTimeouts) {
    self.place = place
    (mailboxes, store, turn) = (port.correspondents, port.store, port.turn)
    self.timeouts = timeouts
  }

  /// Something new may wait in the store.
  mutating func changed() { isStale = true }

  /// When there is something to do although nothing has come.
  var nextAttempt: ContinuousClock.Instant? {
    [
      holds.values.compactMap(\.until).min(), unreadable.nextEnd, silenceEnd,
      uploads.isFull ? nil : turn.next,
    ]
    .compactMap { $0 }.min()
  }

  /// When the broker has left a piece without an answer for too long.
  var silenceEnd: ContinuousClock.Instant? { silentSince.map { $0 + timeouts.progress } }

  /// The connection has ended: what was not confirmed is published again.
  mutating func interrupted() {
    (unconfirmed, silentSince) = (OpenPieces(), nil)
    uploads.interrupted()
  }

  // MARK: - What is to be published

  /// What to publish next; `nil`: nothing now.
  mutating func next(at now: ContinuousClock.Instant) throws(MailboxError) -> Step? {
    endPauses(at: now)
    if isStale, !uploads.isFull { try refill(at: now) }
    while !unconfirmed.isFull, let upload = uploads.first {
      guard try isWanted(upload, at: now) else {
        uploads.remove(upload.key)
        isStale = true
        continue
      }
      let number = unconfirmed.lastNumber + 1
      let message = try reading(upload.message.id, at: now) { uploads throws(MailboxError) in
        try uploads.takePiece(as: number)
      }
      guard let message else {
        uploads.removeAll { $0.message.id == upload.message.id }
        continue
      }
      unconfirmed.add(
        byteCount: message.chunks.reduce(0) { $0 + $1.count }, of: upload.key)
      silentSince = silentSince ?? now
      return Step(message: message, mailbox: upload.mailbox)
    }
    return nil
  }

  /// Another run may have handed it over, or a newer one has its slot.
  private func isWanted(
    _ upload: Upload, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> Bool {
    guard !upload.isBegun else { return true }
    if upload.slot == nil, let refilled, now - refilled < Self.freshFor { return true }
    return try store.message(upload.message.id, in: upload.mailbox) != nil
  }

  private mutating func endPauses(at now: ContinuousClock.Instant) {
    for (mailbox, hold) in holds {
      guard let until = hold.until, until <= now else { continue }
      holds[mailbox]?.until = nil
      isStale = true
    }
    if let end = turn.next, end <= now { isStale = true }
    guard let end = unreadable.nextEnd, end <= now else { return }
    unreadable.forgetEnded(at: now)
    isStale = true
  }

  private mutating func refill(at now: ContinuousClock.Instant) throws(MailboxError) {
    (isStale, hasMore, refilled) = (false, false, now)
    let ended = Set(finished.map(\.key))
    let bounds = holds.filter { $0.value.until != nil }.mapValues(\.byteCount)
    let open = try turn.mailboxes(
      of: mailboxes.subtracting(bounds.filter { $0.value == 0 }.keys), in: store, at: now)
    let countMax = UploadQueue.room + finished.count + unreadable.count
    let found = try store.outgoing(for: open, smallerThan: bounds, countMax: countMax)
    hasMore = found.count == countMax
    for waiting in found where !unreadable.contains(waiting.message.id) {
      let keys = waiting.mailboxes.map { Upload.Key(id: waiting.message.id, mailbox: $0) }
        .filter { uploads[$0] == nil && !ended.contains($0) }
      guard !keys.isEmpty else { continue }
      guard !uploads.isFull else {
        hasMore = true
        return
      }
      let chunks = try reading(waiting.message.id, at: now) { _ throws(MailboxError) in
        try waiting.message.openVerified()
      }
      guard let chunks else { continue }
      for key in keys {
        uploads.add(
          waiting.message, chunks, for: key.mailbox, slot: waiting.slot,
          confirmedCount: try confirmedCount(of: key, chunks.count))
      }
    }
  }

  private mutating func confirmedCount(
    of key: Upload.Key, _ chunkCount: UInt32
  ) throws(MailboxError) -> UInt32 {
    if let count = progress.removeValue(forKey: key) { return count }
    guard chunkCount > Self.notedStepMin else { return 0 }
    return try store.publishedCount(of: key.id, into: key.mailbox, at: place)
  }

  /// Of what is on its way: the program's next run goes on from there.
  mutating func keep() throws(MailboxError) {
    for upload in uploads.all { try keep(upload, least: Self.notedStepMin) }
  }

  private mutating func keep(_ upload: Upload, least: UInt32) throws(MailboxError) {
    guard !upload.isConfirmed, upload.confirmedCount - upload.notedCount >= least else { return }
    try store.notePublished(
      upload.confirmedCount, of: upload.message.id, into: upload.mailbox, at: place)
    uploads.noted(upload.key)
  }

  /// `nil`: the disk has lost the message, or it cannot be read now. What is behind it goes on.
  private mutating func reading<Value>(
    _ id: MessageID, at now: ContinuousClock.Instant,
    _ body: (inout UploadQueue) throws(MailboxError) -> Value?
  ) throws(MailboxError) -> Value? {
    do throws(MailboxError) {
      return try body(&uploads)
    } catch {
      guard error.isOfOneMessage else { throw error }
      guard try store.contains(id) else { return nil }
      if error.isLoss { try store.discard(id) } else { unreadable.add(id, at: now) }
      faults.append(Depositing.Fault(message: id, error: error))
      return nil
    }
  }

  /// What could not be read since the last time.
  mutating func takeFaults() -> [Depositing.Fault] {
    defer { faults = [] }
    return faults
  }
}

// MARK: - Answers

extension BrokerSending {
  /// Of large messages, how far they are.
  typealias Movement = (mailbox: Mailbox, done: UInt32, total: UInt32)

  /// What the broker has whole by that waits for `handOver`.
  mutating func confirmed(
    _ numbers: PublicationNumbers, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> [Movement] {
    var moved: [Movement] = []
    for (number, key) in answered(numbers, at: now) {
      guard let upload = uploads.confirm(number, of: key) else { continue }
      moved.append((key.mailbox, upload.confirmedCount, upload.chunkCount))
      try keep(upload, least: Self.notedStepMax)
      guard upload.isConfirmed else { continue }
      uploads.remove(key)
      finished.append(upload)
      if let hold = holds[key.mailbox], upload.message.size.byteCount >= hold.byteCount {
        holds[key.mailbox] = nil
        isStale = true
      }
    }
    return moved
  }

  var hasManyFinished: Bool { finished.count >= Self.finishedCountMax }

  /// All that the broker has whole, each message once; what `body` throws for comes again.
  mutating func handOver(_ body: ([WaitingMessage]) throws -> Void) throws {
    guard !finished.isEmpty else { return }
    var order: [MessageID] = []
    var groups: [MessageID: [Upload]] = [:]
    for upload in finished {
      if groups[upload.message.id] == nil { order.append(upload.message.id) }
      groups[upload.message.id, default: []].append(upload)
    }
    try body(
      order.compactMap { groups[$0] }.map { group in
        WaitingMessage(
          message: group[0].message, mailboxes: group.map(\.mailbox), slot: group[0].slot)
      })
    finished = []
    if uploads.isEmpty || (hasMore && uploads.isLow) { isStale = true }
  }

  /// What goes into a queue that takes it is published on; what does not waits.
  mutating func refused(
    _ numbers: PublicationNumbers, _ reason: CarrierRefusal, _ detail: String,
    at now: ContinuousClock.Instant
  ) throws(MailboxError) -> [Depositing.Refusal] {
    var refusals: [Depositing.Refusal] = []
    for (_, key) in answered(numbers, at: now) {
      guard let upload = uploads.remove(key) else { continue }
      if progress.count >= Self.progressCountMax { progress = [:] }
      // A queue that is gone has taken with it what it had.
      let isGone = reason == .unknownMailbox
      progress[key] = isGone ? 0 : upload.confirmedCount
      if isGone, upload.notedCount > 0 {
        try store.notePublished(0, of: key.id, into: key.mailbox, at: place)
      }
      hold(key.mailbox, upload.message.size.byteCount, reason, at: now)
      refusals.append(
        Depositing.Refusal(
          message: upload.message, mailbox: key.mailbox, reason: reason, detail: detail))
    }
    isStale = true
    return refusals
  }

  private mutating func hold(
    _ mailbox: Mailbox, _ byteCount: UInt64, _ reason: CarrierRefusal,
    at now: ContinuousClock.Instant
  ) {
    var hold = holds[mailbox] ?? DepositHold(jitter: timeouts.jitter)
    hold.begin(reason == .overQuota || reason == .overLimit ? byteCount : 0, at: now)
    holds[mailbox] = hold
    uploads.removeAll {
      $0.mailbox == mailbox && !$0.isBegun && hold.holds($0.message.size.byteCount)
    }
  }

  /// In their order.
  private mutating func answered(
    _ numbers: PublicationNumbers, at now: ContinuousClock.Instant
  ) -> [(number: UInt64, key: Upload.Key)] {
    let answered = unconfirmed.take(numbers)
    silentSince = unconfirmed.isEmpty ? nil : now
    return answered
  }
}
