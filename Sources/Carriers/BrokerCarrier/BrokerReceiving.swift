import CarrierProtocol
import Mailboxes
import MessageFormat

/// The half that empties our queue: chunks of several messages, in any order within the window, more than once, with gaps.
/// What a delivery brought is on our disk before it is acknowledged.
final class BrokerReceiving {
  /// Deliveries without an acknowledgement: 32 MiB, more than is synced in one step.
  static let windowMax: UInt16 = 256
  /// So much is made durable in one step.
  private static let acceptedCountMax = 64
  private static let acceptedByteCountMax: UInt64 = 8 << 20
  private static let rememberedCountMax = 4_096
  /// A message that does not come further for so long is given up, and so is what an earlier run kept.
  private static let idleMax: Duration = .seconds(24 * 3_600)

  private let port: CarrierPort
  private let reports: ExchangeReports
  private var open: [MessageID: IncomingMessage] = [:]
  private var whole: [IncomingMessage] = []
  /// Handled lately: what comes of them again is acknowledged.
  private var handled: Set<MessageID> = []
  /// Given up because something of them is missing, until they come from their beginning.
  private var dropped: Set<MessageID> = []
  /// There was no room for them: their deliveries stay unacknowledged.
  private var deferred: Set<MessageID> = []
  /// The smallest of them, by which it is known when there is room.
  private var firstDeferred: MessageWriter?
  private var outstandingCount = 0
  /// Before that nothing is given up because something is missing.
  var disorderEnd: ContinuousClock.Instant?
  private var nextCleaning: ContinuousClock.Instant?

  /// What the broker is to be told.
  private(set) var acknowledged: [DeliveryTag] = []
  private(set) var rejected: [DeliveryTag] = []

  init(_ port: CarrierPort, _ reports: ExchangeReports) {
    (self.port, self.reports) = (port, reports)
  }

  /// Nothing of a message is here that is not in the store.
  var isIdle: Bool { open.isEmpty && whole.isEmpty && deferred.isEmpty }

  /// Whether enough has come whole that it is to be made durable although more comes.
  var isFull: Bool {
    whole.count >= Self.acceptedCountMax
      || whole.reduce(0) { $0 + $1.size.byteCount } >= Self.acceptedByteCountMax
  }

  var hasDeferred: Bool { !deferred.isEmpty }

  /// Whether something that was deferred would fit by now.
  func hasRoom() throws -> Bool {
    guard let firstDeferred else { return true }
    return try port.excess(of: firstDeferred, besides: (whole + open.values).map(\.size)) == nil
  }

  /// Everything that was not acknowledged comes again.
  func interrupted() {
    for message in open.values { message.forgetDeliveries() }
    (whole, deferred, acknowledged, rejected) = ([], [], [], [])
    firstDeferred = nil
    outstandingCount = 0
  }

  /// After a fault of this machine: of what was not kept nothing is here any more.
  func startAgain() {
    interrupted()
    open = [:]
  }

  func takeAnswers() -> (acknowledged: [DeliveryTag], rejected: [DeliveryTag]) {
    defer { (acknowledged, rejected) = ([], []) }
    outstandingCount -= acknowledged.count + rejected.count
    return (acknowledged, rejected)
  }

  /// Throws what is this machine's.
  func take(
    _ bytes: [UInt8]?, _ tag: DeliveryTag, at now: ContinuousClock.Instant
  ) throws {
    outstandingCount += 1
    guard let bytes else { return reject(tag, "more bytes than a message has") }
    let message: BrokerMessage
    do throws(FormatError) {
      message = try BrokerMessage(decoding: bytes)
    } catch {
      return reject(tag, "\(error)")
    }
    if try !isOfUse(message) {
      acknowledged.append(tag)
    } else if let incoming = try incoming(message, at: now) {
      try take(message, tag, of: incoming, at: now)
    }
    if outstandingCount - acknowledged.count - rejected.count >= Int(Self.windowMax), whole.isEmpty
    {
      try makeRoom(at: now)
    }
  }

  private func reject(_ tag: DeliveryTag, _ what: String) {
    rejected.append(tag)
    reports.foreign(what)
  }

  /// Whether its message is to come, or comes.
  private func isOfUse(_ message: BrokerMessage) throws -> Bool {
    if handled.contains(message.id) { return false }
    if dropped.contains(message.id) {
      guard message.first == 0 else { return false }
      dropped.remove(message.id)
    }
    guard message.size.byteCount <= port.byteCountMax else {
      reports.tooLarge(message.size)
      return false
    }
    guard open[message.id] == nil, !deferred.contains(message.id) else { return true }
    return try port.store.message(message.id, in: port.mailbox) == nil
  }

  /// `nil`: there is no room for it, and the broker keeps it.
  private func incoming(
    _ message: BrokerMessage, at now: ContinuousClock.Instant
  ) throws -> IncomingMessage? {
    if let known = open[message.id] { return known }
    // Whole, and about to be accepted: its deliveries are acknowledged with the others.
    if let known = whole.first(where: { $0.id == message.id }) { return known }
    guard !deferred.contains(message.id) else { return nil }
    let offer = DepositOffer(
      id: message.id, mailboxes: [port.mailbox], size: message.size, slot: message.slot)
    let writer = try port.store.resume(offer, from: port.mailbox)
    let others = (whole + open.values).map(\.size)
    if let what = try port.excess(of: writer, besides: others) {
      deferred.insert(message.id)
      let least = firstDeferred?.offer.size.byteCount ?? .max
      if message.size.byteCount < least { firstDeferred = writer }
      reports.full(what)
      return nil
    }
    let incoming = IncomingMessage(writer, at: now)
    open[message.id] = incoming
    return incoming
  }

  private func take(
    _ message: BrokerMessage, _ tag: DeliveryTag, of incoming: IncomingMessage,
    at now: ContinuousClock.Instant
  ) throws {
    switch try incoming.take(message, tag, at: now) {
    case .foreign:
      reject(tag, "chunks that are not of their message")
      if incoming.tags.isEmpty { open[incoming.id] = nil }
    case .gap:
      try requireOrder(at: now)
      try drop(incoming)
    case .taken:
      acknowledged += try incoming.keep()
      guard incoming.isComplete, open.removeValue(forKey: incoming.id) != nil else { return }
      whole.append(incoming)
    }
  }

  /// What is missing comes when the broker has it back: until then all that is behind it is better with the broker.
  private func requireOrder(at now: ContinuousClock.Instant) throws(OvertakenDelivery) {
    if let disorderEnd, now < disorderEnd { throw OvertakenDelivery() }
  }

  /// Part of it will not come. Its sender finds out that we are behind, and heals.
  private func drop(_ incoming: IncomingMessage) throws {
    open[incoming.id] = nil
    if dropped.count >= Self.rememberedCountMax { dropped = [] }
    dropped.insert(incoming.id)
    rejected += incoming.tags
    try port.store.discard([incoming.writer])
    reports.incomplete(incoming.id)
  }

  /// All that the broker delivers at once is here, and no message is whole.
  private func makeRoom(at now: ContinuousClock.Instant) throws {
    for incoming in open.values { acknowledged += try incoming.keep(now: true) }
    guard acknowledged.isEmpty, rejected.isEmpty, deferred.isEmpty,
      let idlest = open.values.min(by: { $0.lastHeard < $1.lastHeard })
    else { return }
    try requireOrder(at: now)
    try drop(idlest)
  }

  /// Makes durable what has come whole.
  func accept() throws {
    guard !whole.isEmpty else { return }
    try port.accept(whole.map(\.writer))
    reports.accepted()
    if handled.count >= Self.rememberedCountMax { handled = [] }
    for message in whole {
      handled.insert(message.id)
      acknowledged += message.tags
    }
    whole = []
  }

  /// Now and then: what nobody goes on with does not stay.
  func clean(at now: ContinuousClock.Instant) throws {
    guard let time = nextCleaning, time <= now else {
      nextCleaning = nextCleaning ?? now + Self.idleMax
      return
    }
    nextCleaning = now + Self.idleMax
    for incoming in open.values where incoming.lastHeard + Self.idleMax <= now {
      try drop(incoming)
    }
    try port.store.discard(port.store.unfinished())
  }

  /// The program ends: what has come of a message is there for its next run.
  func keep() throws(MailboxError) {
    for incoming in open.values { acknowledged += try incoming.keep(now: true) }
  }
}

/// What is delivered lies behind something that an earlier connection has from the broker: it is to be delivered again.
struct OvertakenDelivery: Error {}
