import Machine
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
    package let message: IncomingMessage
  }

  /// What one answer leads to.
  enum Outcome {
    case nothing
    /// To be accepted, all in one step.
    case arrived([Whole])
    /// Larger than anything that is meant for us: acknowledged unread.
    case tooLarge(MailboxEntry, SealedSize)
    /// It is about nothing that we asked for.
    case passedOver
  }

  private struct Partial {
    let entry: MailboxEntry
    let message: IncomingMessage
    var requestedCount: UInt32
  }

  private let mailbox: Mailbox
  private let store: MailboxStore
  private let byteCountMax: UInt64
  private let waitMilliseconds: UInt32
  private let inboxMax: InboxLimit
  /// A `collect` or `fetch` is not answered in full yet.
  private var isAsking = false
  /// An earlier run may have kept the beginning of the first message that the carrier has. Nothing else is of use.
  private var mayResume = true
  /// Of what was announced in one answer.
  private var answeredChunkCount: UInt64 = 0
  private var position: UInt64 = 0
  private var partial: Partial?
  private var whole: [Whole] = []
  private var hasMore = false
  private var unacknowledged: [MessageID: MailboxEntry] = [:]

  init(_ settings: ExchangeSettings) {
    mailbox = settings.mailbox
    store = settings.store
    byteCountMax = settings.byteCountMax
    waitMilliseconds = settings.patience.mailMilliseconds
    inboxMax = settings.inboxMax
  }

  /// A connection stands. A carrier that has lost its disk counts from the beginning again, and so do we.
  mutating func begin() -> [CarrierRequest] {
    (position, hasMore) = (0, false)
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
    return .collect(after: position, credit: credit, waitMilliseconds: waitMilliseconds)
  }

  /// Of a message that may be here in part, no chunk is asked for before it is known which is the next.
  private var credit: UInt32 { mayResume ? 0 : Limits.creditMax }

  /// After `Outcome.arrived`: what was accepted is acknowledged, and the next asked for.
  mutating func accepted(_ messages: [Whole]) -> [CarrierRequest] {
    if unacknowledged.count > Self.unacknowledgedCountMax { unacknowledged = [:] }
    for message in messages { unacknowledged[message.entry.id] = message.entry }
    return messages.map { .acknowledge($0.entry) } + [collect()]
  }

  /// After `Outcome.arrived`, and a pause: everything again.
  mutating func startAgain() -> [CarrierRequest] {
    (position, partial, whole, hasMore, mayResume) = (0, nil, [], false, true)
    return [collect()]
  }

  /// From the beginning again: of what was there, all is acknowledged, and what was passed over is tried once more.
  mutating func empty() throws(ExchangeFault) -> [CarrierRequest] {
    guard isAsking, partial == nil, whole.isEmpty else {
      throw .unexpected("it says that there is nothing, and nobody asked")
    }
    if mayResume { try discardUnfinished() }
    position = 0
    return [collect()]
  }

  mutating func acknowledged(_ entry: MailboxEntry) { unacknowledged[entry.id] = nil }

  mutating func announced(
    _ entry: MailboxEntry, _ size: SealedSize, more: Bool
  ) throws(ExchangeFault) -> (Outcome, [CarrierRequest]) {
    guard partial == nil else { throw .unexpected("a delivery in the middle of another") }
    try requireCredit(for: size)
    (position, hasMore) = (entry.position, more)
    if unacknowledged[entry.id] != nil {
      return endOfMessage(alsoSend: [.acknowledge(entry)])
    }
    guard size.byteCount <= byteCountMax else {
      let (outcome, requests) = endOfMessage(alsoSend: [.acknowledge(entry)])
      // What came with it goes on waiting for the end of the answer, or has it now.
      guard case .nothing = outcome else { return (outcome, requests) }
      return (.tooLarge(entry, size), requests)
    }
    return (.nothing, try begin(entry, size))
  }

  /// Or goes on behind what an earlier run kept of it.
  private mutating func begin(
    _ entry: MailboxEntry, _ size: SealedSize
  ) throws(ExchangeFault) -> [CarrierRequest] {
    let offer = DepositOffer(id: entry.id, mailboxes: [mailbox], size: size)
    let message: IncomingMessage
    do { message = try store.resume(offer, from: mailbox) } catch { throw .machine("\(error)") }
    let comesByItself = credit > 0 && message.nextChunk == 0
    if mayResume { try discardUnfinished() }
    try requireRoom(for: message)
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
    guard isAsking else { throw .unexpected("a delivery that nobody asked for") }
    let isFirst = answeredChunkCount == 0
    answeredChunkCount += UInt64(size.chunkCount)
    guard isFirst || answeredChunkCount <= UInt64(Limits.creditMax) else {
      throw .unexpected("more deliveries than there is credit for")
    }
  }

  /// Before any more of it is on the disk.
  private func requireRoom(for message: IncomingMessage) throws(ExchangeFault) {
    let size = message.offer.size
    let (inbox, disk): (Usage, DiskSpace)
    do {
      inbox = try store.usage(of: mailbox, as: .mailbox)
      disk = try DiskSpace(at: store.state.spool.path)
    } catch {
      throw .machine("\(error)")
    }
    guard inbox.messageCount + UInt64(whole.count) < inboxMax.messageCount else {
      throw .full("\(inbox.messageCount) messages wait here")
    }
    let waiting = whole.reduce(inbox.byteCount) { $0 + $1.message.offer.size.byteCount }
    // One message of any size, where there is no other.
    guard waiting == 0 || waiting + size.byteCount <= inboxMax.byteCount else {
      throw .full("\(waiting) bytes wait here, and \(size.byteCount) would come")
    }
    // What it holds needs as much again when it is applied.
    guard size.byteCount <= (disk.freeByteCount + message.byteCount) / 2 else {
      throw .full("\(size.byteCount) bytes would come, and \(disk.freeByteCount) are free")
    }
  }

  mutating func take(
    _ chunk: [UInt8], named name: ChunkName
  ) throws(ExchangeFault) -> (Outcome, [CarrierRequest]) {
    // Of a message that we know, or one that is asked for again.
    guard var current = partial, current.entry.id == name.id,
      name.index >= current.message.nextChunk
    else { return (.passedOver, []) }
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
  mutating func refused(_ id: MessageID) throws(ExchangeFault) -> (Outcome, [CarrierRequest]) {
    guard let current = partial, current.entry.id == id else { return (.passedOver, []) }
    partial = nil
    try discard(current.message)
    return endOfMessage(alsoSend: [])
  }

  private func discard(_ message: IncomingMessage) throws(ExchangeFault) {
    do { try store.discard([message]) } catch { throw .machine("\(error)") }
  }

  /// Nothing more comes: the next run of the program goes on where this one was.
  func keep() throws(MailboxError) { try partial?.message.keep() }

  private mutating func endOfMessage(
    alsoSend requests: [CarrierRequest]
  ) -> (Outcome, [CarrierRequest]) {
    guard !hasMore else { return (.nothing, requests) }
    isAsking = false
    guard whole.isEmpty else {
      defer { whole = [] }
      return (.arrived(whole), requests)
    }
    return (.nothing, requests + [collect()])
  }
}
