import Mailboxes
import MessageFormat

/// The deposits that are under way, and how much of the disk they will take.
struct OpenDeposits {
  /// The identity's, not the connection's: it goes on over the next one when this one breaks.
  struct Key: Hashable {
    let depositor: Mailbox
    let id: MessageID
  }

  struct Deposit {
    let message: MessageWriter
    var peer: MailboxServer.Peer
    /// Of a clock that only grows.
    let begunAt: ContinuousClock.Instant
    var touchedAt: ContinuousClock.Instant
    /// How much of what has come is in `reservations`.
    var countedByteCount: UInt64 = 0

    /// An offer alone takes a place and no time to make: repeating it gives it no more time.
    func isOver(at time: ContinuousClock.Instant) -> Bool {
      message.byteCount == 0
        ? begunAt + .milliseconds(Limits.depositSilentMillisecondsMax) < time
        : touchedAt + .milliseconds(Limits.depositIdleMillisecondsMax) < time
    }
  }

  private var deposits: [Mailbox: [MessageID: Deposit]] = [:]
  /// Those that came to nothing: of them nothing is to be kept.
  var ended: [MessageWriter] = []
  /// Also of those that are whole, until `settle`.
  private(set) var reservations = Reservations()

  subscript(key: Key) -> Deposit? { deposits[key.depositor]?[key.id] }

  func count(of depositor: Mailbox) -> Int { deposits[depositor]?.count ?? 0 }

  var messages: [MessageWriter] { deposits.values.flatMap { $0.values.map(\.message) } }

  mutating func begin(
    _ message: MessageWriter, from peer: MailboxServer.Peer, at time: ContinuousClock.Instant
  ) {
    let offer = message.offer
    let old = deposits[peer.mailbox, default: [:]]
      .updateValue(
        Deposit(message: message, peer: peer, begunAt: time, touchedAt: time), forKey: offer.id)
    precondition(old == nil, "a deposit that is under way is ended first")
    reservations.add(offer, from: peer.mailbox)
    countWhatHasCome(of: Key(depositor: peer.mailbox, id: offer.id))
  }

  mutating func countWhatHasCome(of key: Key) {
    guard let deposit = self[key] else { return }
    let byteCount = deposit.message.byteCount
    reservations.addCome(byteCount - deposit.countedByteCount, of: deposit.message.offer)
    deposits[key.depositor]?[key.id]?.countedByteCount = byteCount
  }

  /// Over this connection from now on.
  mutating func move(_ key: Key, to peer: MailboxServer.Peer, at time: ContinuousClock.Instant) {
    deposits[key.depositor]?[key.id]?.peer = peer
    touch(key, at: time)
  }

  mutating func touch(_ key: Key, at time: ContinuousClock.Instant) {
    deposits[key.depositor]?[key.id]?.touchedAt = time
  }

  /// It is whole: no longer under way, and not on the disk yet.
  mutating func finish(_ key: Key) {
    countWhatHasCome(of: key)
    if let deposit = take(key) { reservations.addWhole(deposit.message.offer) }
  }

  /// A finished one is on the disk, or failed.
  mutating func settle(_ message: MessageWriter) {
    reservations.remove(
      message.offer, from: message.depositor, come: message.byteCount, isWhole: true)
  }

  mutating func end(_ key: Key) {
    guard let deposit = take(key) else { return }
    let message = deposit.message
    reservations.remove(
      message.offer, from: message.depositor, come: deposit.countedByteCount, isWhole: false)
    if message.isKept { ended.append(message) }
  }

  private mutating func take(_ key: Key) -> Deposit? {
    let deposit = deposits[key.depositor]?.removeValue(forKey: key.id)
    if deposits[key.depositor]?.isEmpty == true { deposits[key.depositor] = nil }
    return deposit
  }

  /// Those in which nothing has moved for too long.
  mutating func endIdle(at time: ContinuousClock.Instant) { endAll { $0.isOver(at: time) } }

  mutating func endAll(ofOthersThan isAllowed: (Mailbox) -> Bool) {
    endAll { !isAllowed($0.message.depositor) }
  }

  private mutating func endAll(where isOver: (Deposit) -> Bool) {
    for (depositor, all) in deposits {
      for (id, deposit) in all where isOver(deposit) { end(Key(depositor: depositor, id: id)) }
    }
  }

  /// The one that has rested longest on another connection of the same identity.
  mutating func endOldest(notOf peer: MailboxServer.Peer) {
    let others = deposits[peer.mailbox, default: [:]].filter { $0.value.peer != peer }
    if let oldest = others.min(by: { $0.value.touchedAt < $1.value.touchedAt }) {
      end(Key(depositor: peer.mailbox, id: oldest.key))
    }
  }
}
