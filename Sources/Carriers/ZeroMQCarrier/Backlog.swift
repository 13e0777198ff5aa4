import CarrierProtocol

/// Replies for peers whose queue is full. Chunks among them are read when their turn comes: a peer that does not read
/// costs a list of names.
struct Backlog {
  /// With more, a peer asks and does not read: two full answers and what belongs to a deposit are less.
  private static let countMax = 256
  private static let intervals = (first: Duration.milliseconds(2), last: Duration.milliseconds(50))

  private var waiting: [MailboxServer.Peer: ArraySlice<MailboxServer.Outgoing>] = [:]
  private var interval = intervals.first
  private var lastAttempt = ContinuousClock.Instant.now

  /// ZeroMQ does not tell when a router's peer can take more, so it is asked; `nil`: there is nothing to send.
  var nextAttempt: ContinuousClock.Instant? { waiting.isEmpty ? nil : lastAttempt + interval }

  var isDue: Bool { nextAttempt.map { $0 <= .now } ?? false }

  var peers: [MailboxServer.Peer] { Array(waiting.keys) }

  func contains(_ peer: MailboxServer.Peer) -> Bool { waiting[peer] != nil }

  func first(of peer: MailboxServer.Peer) -> MailboxServer.Outgoing? { waiting[peer]?.first }

  /// `false`: there are too many.
  mutating func append(_ item: MailboxServer.Outgoing) -> Bool {
    if waiting.isEmpty { (interval, lastAttempt) = (Self.intervals.first, .now) }
    guard waiting[item.peer, default: []].count < Self.countMax else { return false }
    waiting[item.peer, default: []].append(item)
    return true
  }

  mutating func removeFirst(of peer: MailboxServer.Peer) {
    waiting[peer]?.removeFirst()
    if waiting[peer]?.isEmpty == true { waiting[peer] = nil }
  }

  mutating func remove(_ peer: MailboxServer.Peer) { waiting[peer] = nil }

  /// Where nothing moves, it is asked less and less often.
  mutating func noteAttempt(hasSent: Bool) {
    lastAttempt = .now
    interval = hasSent ? Self.intervals.first : min(interval * 2, Self.intervals.last)
  }
}
