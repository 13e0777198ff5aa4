import CarrierProtocol
import Host
import Mailboxes
import MessageFormat

/// The half that publishes our messages: in order, each into the queues of its recipients, so many pieces at a time without
/// a confirm. A queue that is refused holds up no other, and goes on where it was.
struct BrokerSending {
  struct Step {
    let message: BrokerMessage
    let mailbox: Mailbox
  }

  /// Pieces on their way: 8 MiB, more than a broker needs to be busy.
  private static let windowMax = 64
  private static let uploadCountMax = 64
  private static let progressCountMax = 4_096
  /// What costs less is sent again: 16 MiB, and 8 MiB at an orderly end.
  private static let notedStepMax: UInt32 = 128
  private static let notedStepMin: UInt32 = 64

  private let mailboxes: Set<Mailbox>
  private let store: MailboxStore
  private let turn: FailoverTurn
  private let timeouts: ExchangeTimeouts
  private let place: String
  private var uploads: [Upload] = []
  private var publishedCount: UInt64 = 0
  /// Pieces on their way, by their numbers.
  private var unconfirmed: [UInt64: Upload.Key] = [:]
  /// What a refused queue has of a message.
  private var progress: [Upload.Key: UInt32] = [:]
  private var holds: [Mailbox: DepositHold] = [:]
  private var unreadable = UnreadableMessages()
  private var faults: [Depositing.Fault] = []
  private var isStale = true
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
      isFull ? nil : turn.next,
    ]
    .compactMap { $0 }.min()
  }

  private var isFull: Bool { uploads.count >= Self.uploadCountMax }

  /// When the broker has left a piece without an answer for too long.
  var silenceEnd: ContinuousClock.Instant? { silentSince.map { $0 + timeouts.progress } }

  /// The connection has ended: what was not confirmed is published again.
  mutating func interrupted() {
    (publishedCount, unconfirmed, silentSince) = (0, [:], nil)
    for index in uploads.indices { uploads[index].interrupted() }
  }

  /// What to publish next; `nil`: nothing now.
  mutating func next(at now: ContinuousClock.Instant) throws(MailboxError) -> Step? {
    endPauses(at: now)
    if isStale, !isFull { try refill(at: now) }
    while unconfirmed.count < Self.windowMax,
      let index = uploads.firstIndex(where: { !$0.isPublished })
    {
      let id = uploads[index].message.id
      // Another run may have handed it over, or a newer one has its slot.
      if !uploads[index].isBegun, try store.message(id, in: uploads[index].mailbox) == nil {
        uploads.remove(at: index)
        isStale = true
        continue
      }
      var upload = uploads[index]
      let number = publishedCount + 1
      let message = try reading(id, at: now) { () throws(MailboxError) in
        try upload.takePiece(as: number)
      }
      guard let message else {
        uploads.removeAll { $0.message.id == id }
        continue
      }
      uploads[index] = upload
      publishedCount = number
      unconfirmed[number] = upload.key
      silentSince = silentSince ?? now
      return Step(message: message, mailbox: upload.mailbox)
    }
    return nil
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
    isStale = false
    let known = Set(uploads.map(\.key))
    let bounds = holds.filter { $0.value.until != nil }.mapValues(\.byteCount)
    let open = try turn.mailboxes(
      of: mailboxes.subtracting(bounds.filter { $0.value == 0 }.keys), in: store, at: now)
    for waiting in try store.outgoing(
      for: open, smallerThan: bounds,
      countMax: 2 * Self.uploadCountMax + unreadable.count)
    where !unreadable.contains(waiting.message.id) {
      let keys = waiting.mailboxes.map { Upload.Key(id: waiting.message.id, mailbox: $0) }
        .filter { !known.contains($0) }
      guard !keys.isEmpty else { continue }
      let chunks = try reading(waiting.message.id, at: now) { () throws(MailboxError) in
        try waiting.message.openVerified()
      }
      guard let chunks else { continue }
      for key in keys {
        uploads.append(
          Upload(
            waiting.message, chunks, for: key.mailbox, slot: waiting.slot,
            confirmedCount: try confirmedCount(of: key, chunks.count)))
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
  mutating func keep(least: UInt32 = notedStepMin) throws(MailboxError) {
    for index in uploads.indices {
      let upload = uploads[index]
      guard !upload.isConfirmed, upload.confirmedCount - upload.notedCount >= least else {
        continue
      }
      try store.notePublished(
        upload.confirmedCount, of: upload.message.id, into: upload.mailbox, at: place)
      uploads[index].noted()
    }
  }

  /// `nil`: the disk has lost the message, or it cannot be read now. What is behind it goes on.
  private mutating func reading<Value>(
    _ id: MessageID, at now: ContinuousClock.Instant, _ body: () throws(MailboxError) -> Value
  ) throws(MailboxError) -> Value? {
    do throws(MailboxError) {
      return try body()
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

  /// What was handed over whole, once for each message.
  mutating func confirmed(
    _ numbers: PublicationNumbers, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> (delivered: [WaitingMessage], moved: [Movement]) {
    var moved: [Movement] = []
    for (number, key) in answered(numbers, at: now) {
      guard let index = uploads.firstIndex(where: { $0.key == key }) else { continue }
      uploads[index].confirm(number)
      moved.append((key.mailbox, uploads[index].confirmedCount, uploads[index].chunkCount))
    }
    try keep(least: Self.notedStepMax)
    var finished: [Upload] = []
    for upload in uploads where upload.isConfirmed {
      finished.append(upload)
      if let hold = holds[upload.mailbox], upload.message.size.byteCount >= hold.byteCount {
        holds[upload.mailbox] = nil
      }
    }
    guard !finished.isEmpty else { return ([], moved) }
    uploads.removeAll(where: \.isConfirmed)
    if uploads.count < Self.uploadCountMax / 2 { isStale = true }
    let groups = Dictionary(grouping: finished, by: \.message.id).values
    return (
      groups.map { group in
        WaitingMessage(
          message: group[0].message, mailboxes: group.map(\.mailbox), slot: group[0].slot)
      }, moved
    )
  }

  /// What goes into a queue that takes it is published on; what does not waits.
  mutating func refused(
    _ numbers: PublicationNumbers, _ reason: CarrierRefusal, _ detail: String,
    at now: ContinuousClock.Instant
  ) throws(MailboxError) -> [Depositing.Refusal] {
    var refusals: [Depositing.Refusal] = []
    for (_, key) in answered(numbers, at: now) {
      guard let index = uploads.firstIndex(where: { $0.key == key }) else { continue }
      let upload = uploads.remove(at: index)
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
  ) -> [(UInt64, Upload.Key)] {
    let answered = unconfirmed.filter { numbers.contains($0.key) }.sorted { $0.key < $1.key }
    for (number, _) in answered { unconfirmed[number] = nil }
    silentSince = unconfirmed.isEmpty ? nil : now
    return answered.map { ($0.key, $0.value) }
  }
}
