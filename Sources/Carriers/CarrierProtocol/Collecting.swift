package import Mailboxes
package import MessageFormat

/// The half of an exchange that empties our mailbox: what to ask for, what has come.
///
/// Messages are accepted, that is made durable here, before they are acknowledged; in between a connection may break, and
/// then what comes again is only acknowledged.
package struct Collecting {
  /// Chunks are asked for so early that they never run dry.
  private static let reserve = Limits.creditMax / 2
  /// Acknowledgements that the carrier may leave unanswered: what is forgotten may be handled once more, and refused.
  private static let unacknowledgedCountMax = 4_096
  private static let repeatedCountMax = 128

  /// A message that has come whole.
  package struct Whole {
    package let entry: MailboxEntry
    package let message: MessageWriter
  }

  /// What one answer leads to.
  enum Progress {
    case nothing
    /// To be accepted, all in one step.
    case arrived([Whole])
    /// Larger than anything that is meant for us: acknowledged unread.
    case tooLarge(MailboxEntry, SealedSize)
    /// It waits at the carrier until there is room, and what is behind it comes.
    case noRoom(SealedSize, String)
    /// It is about nothing that we asked for.
    case unrelated
  }

  private struct Partial {
    let entry: MailboxEntry
    let message: MessageWriter
    var requestedCount: UInt32
  }

  private let mailbox: Mailbox
  private let store: MailboxStore
  private let byteCountMax: UInt64
  private let waitMilliseconds: UInt32
  private let capacity: InboxCapacity
  /// A `collect` or `fetch` is not answered in full yet.
  private var isAsking = false
  private var askedCredit: UInt32 = 0
  /// An earlier run may have kept the beginning of the first message that the carrier has. Nothing else is of use.
  private var mayResume = true
  /// Of what was announced in one answer.
  private var answeredChunkCount: UInt64 = 0
  private var position: UInt64 = 0
  private var partial: Partial?
  private var whole: [Whole] = []
  private var hasMore = false
  private var unacknowledged: [MessageID: MailboxEntry] = [:]
  private var deferred: DeferredMessages

  /// Whether the next question need not wait: what was passed over is no sign of a carrier that turns in circles.
  mutating func takeHaste() -> Bool { deferred.takeHaste() }

  init(_ port: CarrierPort, _ timeouts: ExchangeTimeouts) {
    mailbox = port.mailbox
    store = port.store
    byteCountMax = port.byteCountMax
    waitMilliseconds = timeouts.mailMilliseconds
    capacity = InboxCapacity(port)
    deferred = DeferredMessages(jitter: timeouts.jitter)
  }

  /// A connection stands. A carrier that has lost its disk counts from the beginning again, and so do we.
  mutating func begin() -> [CarrierRequest] {
    (position, hasMore) = (0, false)
    deferred.connected()
    // The others when they come once more.
    let again = unacknowledged.values.prefix(Self.repeatedCountMax)
      .map { CarrierRequest.acknowledge($0) }
    guard var current = partial else {
      whole = []
      return again + [collect()]
    }
    (isAsking, answeredChunkCount) = (true, 0)
    // What came whole before it goes on waiting for it: messages keep their order.
    current.requestedCount = current.message.nextChunk + Limits.creditMax
    partial = current
    let next = ChunkName(id: current.entry.id, index: current.message.nextChunk)
    return again + [.fetch(next, credit: Limits.creditMax)]
  }

  /// After a pause, for what comes behind what has come.
  mutating func ask() -> [CarrierRequest] { [collect()] }

  private mutating func collect() -> CarrierRequest {
    (isAsking, answeredChunkCount) = (true, 0)
    // Of a message that may be here in part, no chunk is asked for before it is known which is the next; of one that may
    // have no room again, none before it has.
    askedCredit = mayResume || deferred.mayCome(after: position) ? 0 : Limits.creditMax
    return .collect(
      after: position, credit: askedCredit,
      waitMilliseconds: min(waitMilliseconds, deferred.waitMillisecondsMax))
  }

  /// After `Progress.arrived`: what was accepted is acknowledged, and the next asked for.
  mutating func accepted(_ messages: [Whole]) -> [CarrierRequest] {
    if unacknowledged.count > Self.unacknowledgedCountMax { unacknowledged = [:] }
    for message in messages { unacknowledged[message.entry.id] = message.entry }
    return messages.map { .acknowledge($0.entry) } + [collect()]
  }

  /// After `Progress.arrived`, and a pause: everything again.
  mutating func startAgain() -> [CarrierRequest] {
    (position, partial, whole, hasMore, mayResume) = (0, nil, [], false, true)
    return [collect()]
  }

  /// From the beginning again: of what was there, all is acknowledged, and what was passed over is tried once more.
  mutating func empty(at now: ContinuousClock.Instant) throws(ExchangeFault) -> [CarrierRequest] {
    guard isAsking, partial == nil, whole.isEmpty else {
      throw .unexpected("an empty answer that was not asked for")
    }
    if mayResume { try discardUnfinished() }
    if deferred.mayBeginAgain(at: now) { position = 0 }
    return [collect()]
  }

  mutating func acknowledged(_ entry: MailboxEntry) { unacknowledged[entry.id] = nil }

  mutating func announced(
    _ entry: MailboxEntry, _ size: SealedSize, more: Bool, at now: ContinuousClock.Instant
  ) throws(ExchangeFault) -> (Progress, [CarrierRequest]) {
    guard partial == nil else { throw .unexpected("a delivery in the middle of another") }
    try requireCredit(for: size)
    (position, hasMore) = (entry.position, more)
    if unacknowledged[entry.id] != nil {
      return endOfMessage(alsoSend: [.acknowledge(entry)])
    }
    guard size.byteCount <= byteCountMax else {
      let (progress, requests) = endOfMessage(alsoSend: [.acknowledge(entry)])
      // What came with it goes on waiting for the end of the answer, or has it now.
      guard case .nothing = progress else { return (progress, requests) }
      return (.tooLarge(entry, size), requests)
    }
    do throws(ExchangeFault) {
      return (.nothing, try begin(entry, size))
    } catch .full(let what) where size.chunkCount > Limits.creditMax {
      return deferMessage(entry, size, what, at: now)
    } catch {
      throw error
    }
  }

  /// Its chunks, where some come with it, are of nothing that we know. What could go with one answer is not passed over:
  /// where there is no room for that, there is none for what is behind it.
  private mutating func deferMessage(
    _ entry: MailboxEntry, _ size: SealedSize, _ what: String, at now: ContinuousClock.Instant
  ) -> (Progress, [CarrierRequest]) {
    deferred.add(entry, at: now)
    let (progress, requests) = endOfMessage(alsoSend: [])
    guard case .nothing = progress, deferred.isNews(entry.id) else { return (progress, requests) }
    return (.noRoom(size, what), requests)
  }

  /// Or goes on behind what an earlier run kept of it.
  private mutating func begin(
    _ entry: MailboxEntry, _ size: SealedSize
  ) throws(ExchangeFault) -> [CarrierRequest] {
    let offer = DepositOffer(id: entry.id, mailboxes: [mailbox], size: size)
    let message: MessageWriter
    do { message = try store.resume(offer, from: mailbox) } catch { throw .machine("\(error)") }
    let comesByItself = askedCredit > 0 && message.nextChunk == 0
    if mayResume { try discardUnfinished() }
    try capacity.require(for: message, besides: whole.map(\.message.offer.size))
    let next = ChunkName(id: entry.id, index: message.nextChunk)
    partial = Partial(
      entry: entry, message: message, requestedCount: next.index + Limits.creditMax)
    return comesByItself ? [] : [.fetch(next, credit: Limits.creditMax)]
  }

  /// What was kept of other messages: the carrier has them no longer.
  private mutating func discardUnfinished() throws(ExchangeFault) {
    do { try store.discard(store.unfinished()) } catch { throw .machine("\(error)") }
    mayResume = false
  }

  /// One answer holds one message of any size, or as many as fit the credit: no carrier makes us keep more.
  private mutating func requireCredit(for size: SealedSize) throws(ExchangeFault) {
    guard isAsking else { throw .unexpected("a delivery that was not asked for") }
    let isFirst = answeredChunkCount == 0
    answeredChunkCount += UInt64(size.chunkCount)
    guard isFirst || answeredChunkCount <= UInt64(Limits.creditMax) else {
      throw .unexpected("more deliveries than there is credit for")
    }
  }

  mutating func take(
    _ chunk: [UInt8], named name: ChunkName
  ) throws(ExchangeFault) -> (Progress, [CarrierRequest]) {
    // Of a message that we know, or one that is asked for again.
    guard var current = partial, current.entry.id == name.id,
      name.index >= current.message.nextChunk
    else { return (.unrelated, []) }
    guard name.index == current.message.nextChunk else {
      throw .unexpected("chunk \(name.index) instead of \(current.message.nextChunk)")
    }
    do {
      try current.message.append(chunk)
    } catch .outOfOrder(let what) {
      partial = nil
      try discard(current.message)
      throw .unexpected(what)
    } catch {
      partial = nil
      throw .machine("\(error)")
    }
    if current.message.isComplete {
      partial = nil
      whole.append(Whole(entry: current.entry, message: current.message))
      return endOfMessage(alsoSend: [])
    }
    var requests: [CarrierRequest] = []
    if current.message.nextChunk + Self.reserve >= current.requestedCount {
      requests = [
        .fetch(
          ChunkName(id: name.id, index: current.requestedCount), credit: Self.reserve)
      ]
      current.requestedCount += Self.reserve
    }
    partial = current
    return (.nothing, requests)
  }

  /// The carrier does not have what we were in the middle of.
  mutating func refused(_ id: MessageID) throws(ExchangeFault) -> (Progress, [CarrierRequest]) {
    guard let current = partial, current.entry.id == id else { return (.unrelated, []) }
    partial = nil
    try discard(current.message)
    return endOfMessage(alsoSend: [])
  }

  private func discard(_ message: MessageWriter) throws(ExchangeFault) {
    do { try store.discard([message]) } catch { throw .machine("\(error)") }
  }

  /// Nothing more comes: the next run of the program goes on where this one was.
  func keep() throws(MailboxError) { try partial?.message.keep() }

  private mutating func endOfMessage(
    alsoSend requests: [CarrierRequest]
  ) -> (Progress, [CarrierRequest]) {
    guard !hasMore else { return (.nothing, requests) }
    isAsking = false
    guard whole.isEmpty else {
      defer { whole = [] }
      return (.arrived(whole), requests)
    }
    return (.nothing, requests + [collect()])
  }
}
