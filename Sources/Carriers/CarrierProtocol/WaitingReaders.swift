import MessageFormat

/// The connections whose `collect` waits for mail: found by mailbox when some comes, and by time when the wait is over,
/// without a look at the others.
struct WaitingReaders {
  struct Request {
    let after: UInt64
    let credit: UInt32
    let end: ContinuousClock.Instant
  }

  /// How much later than asked a wait may end.
  private static let tick: Duration = .milliseconds(50)

  private let origin: ContinuousClock.Instant
  private var requests: [Mailbox: [MailboxServer.Peer: Request]] = [:]
  private var peersByTick: [Int64: Set<MailboxServer.Peer>] = [:]
  /// No wait ends before it.
  private var firstTick = Int64.max

  init(origin: ContinuousClock.Instant) { self.origin = origin }

  var mailboxes: [Mailbox] { Array(requests.keys) }

  /// When `takeExpired` is next to be called; `nil`: no connection waits.
  var nextEnd: ContinuousClock.Instant? {
    firstTick == .max ? nil : origin + Self.tick * Double(firstTick)
  }

  /// One wait for each connection: a later one takes its place.
  mutating func insert(_ request: Request, of peer: MailboxServer.Peer) {
    remove(peer)
    requests[peer.mailbox, default: [:]][peer] = request
    let tick = tick(of: request.end)
    peersByTick[tick, default: []].insert(peer)
    firstTick = min(firstTick, tick)
  }

  mutating func remove(_ peer: MailboxServer.Peer) {
    guard let request = requests[peer.mailbox]?.removeValue(forKey: peer) else { return }
    if requests[peer.mailbox]?.isEmpty == true { requests[peer.mailbox] = nil }
    let tick = tick(of: request.end)
    peersByTick[tick]?.remove(peer)
    if peersByTick[tick]?.isEmpty == true { peersByTick[tick] = nil }
  }

  func waiting(for mailbox: Mailbox) -> [MailboxServer.Peer: Request] {
    requests[mailbox, default: [:]]
  }

  /// The connections whose wait is over.
  mutating func takeExpired(at time: ContinuousClock.Instant) -> [MailboxServer.Peer] {
    guard let nextEnd, nextEnd <= time else { return [] }
    let expired = peersByTick.keys.filter { origin + Self.tick * Double($0) <= time }
      .flatMap { Array(peersByTick[$0, default: []]) }
    for peer in expired { remove(peer) }
    // At most as many as a wait has ticks.
    firstTick = peersByTick.keys.min() ?? .max
    return expired
  }

  /// The first tick that is not before it.
  private func tick(of end: ContinuousClock.Instant) -> Int64 {
    Int64(((end - origin) / Self.tick).rounded(.up))
  }
}
