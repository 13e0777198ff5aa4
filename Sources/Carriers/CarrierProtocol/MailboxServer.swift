package import Mailboxes
package import MessageFormat

/// The carrier's side of the protocol, apart from sockets: takes a peer's request, says what to send to whom.
///
/// What `handle` cannot answer before it is on the disk waits for `flush`, so that many requests cost one sync.
/// Belongs to one thread. Source: docs/message-format.md, "Carrier protocol".
package final class MailboxServer {
  /// One connection of an authenticated identity.
  package struct Peer: Hashable, Sendable {
    package let routingID: [UInt8]
    package let mailbox: Mailbox
    /// Over which of a listener's sockets it came.
    package let door: Int

    package init(routingID: [UInt8], mailbox: Mailbox, door: Int = 0) {
      self.routingID = routingID
      self.mailbox = mailbox
      self.door = door
    }
  }

  /// A reply, and of which message the chunk is that goes with it.
  package struct Outgoing {
    package let peer: Peer
    package let reply: CarrierReply
    let message: OutgoingMessage?

    init(peer: Peer, reply: CarrierReply, message: OutgoingMessage? = nil) {
      self.peer = peer
      self.reply = reply
      self.message = message
    }
  }

  /// What waits for `flush`, and the connections that are told.
  enum Finished {
    case deposit(MessageWriter)
    /// For more mailboxes, of a message that is stored.
    case offer(DepositOffer)
    case acknowledged(MailboxEntry, StoredMessage?)
  }

  let store: MailboxStore
  var access: CarrierAccess
  var quotas: DepositQuotas
  let now: () -> Timestamp
  let clock: () -> ContinuousClock.Instant
  var deposits = OpenDeposits()
  var waiting: WaitingReaders
  var cache = ChunkCache()
  var finished: [(peer: Peer, what: Finished)] = []
  /// What `finished` takes out of mailboxes: it is not delivered again.
  var leaving: [Mailbox: Set<MessageID>] = [:]
  var unreadable = UnreadableMessages()
  /// Told of what this machine could not do, and with which message, if one.
  package var onFault: (MessageID?, MailboxError) -> Void = { _, _ in }
  /// Told of what lay here for too long, and is discarded.
  package var onSweep: (SweptMessages) -> Void = { _ in }
  /// What something has come into since `deliverToWaiting`.
  var changed: Set<Mailbox> = []

  /// `now` is the wall clock's time, for what is written down; `clock` only grows, and ends waits and idle deposits.
  package init(
    store: MailboxStore, access: CarrierAccess, quotas: DepositQuotas = .none,
    now: @escaping () -> Timestamp, clock: @escaping () -> ContinuousClock.Instant = { .now }
  ) {
    self.store = store
    self.access = access
    self.quotas = quotas
    self.now = now
    self.clock = clock
    waiting = WaitingReaders(origin: clock())
  }

  /// Other rules from now on; unfinished deposits of identities that are known no longer end.
  package func replace(
    _ access: CarrierAccess, quotas: DepositQuotas, known isKnown: (Mailbox) -> Bool
  ) {
    self.access = access
    self.quotas = quotas
    deposits.endAll(ofOthersThan: isKnown)
  }

  package func handle(_ frames: [[UInt8]], from peer: Peer) -> [Outgoing] {
    do {
      guard let first = frames.first, frames.count <= 2 else {
        return [refusal(nil, .malformed, "one frame, or two with a chunk, expected", to: peer)]
      }
      let request = try CarrierRequest(decoding: first)
      if case .chunk(let name) = request {
        guard frames.count == 2 else {
          return [refusal(name.id, .malformed, "the chunk is missing", to: peer)]
        }
        return take(frames[1], named: name, from: peer)
      }
      guard frames.count == 1 else {
        return [refusal(nil, .malformed, "a frame too many", to: peer)]
      }
      return answer(request, from: peer)
    } catch {
      return [refusal(nil, error.isOverLimit ? .overLimit : .malformed, "\(error)", to: peer)]
    }
  }

  private func answer(_ request: CarrierRequest, from peer: Peer) -> [Outgoing] {
    switch request {
    case .deposit(let offer): begin(offer, from: peer)
    case .chunk: preconditionFailure("chunks come with their bytes")
    case .collect(let after, let credit, let wait):
      collect(after: after, credit: credit, waitMilliseconds: wait, for: peer)
    case .fetch(let chunk, let credit): fetch(chunk, credit: credit, for: peer)
    case .acknowledge(let entry): acknowledge(entry, from: peer)
    }
  }

  /// What is sent: the reply, and the chunk where one goes with it. A chunk that cannot be read is a refusal.
  package func parts(of outgoing: Outgoing) -> (reply: [UInt8], chunk: SharedChunk?) {
    guard let message = outgoing.message, case .chunk(let name) = outgoing.reply else {
      return (outgoing.reply.encoded(), nil)
    }
    do throws(MailboxError) {
      let chunk = try reading(name.id) { () throws(MailboxError) in
        try cache.chunk(name.index, of: message)
      }
      return (outgoing.reply.encoded(), chunk)
    } catch {
      return (fault(name.id, error, to: outgoing.peer).reply.encoded(), nil)
    }
  }

  /// Reads of one message. One whose bytes the disk has lost leaves its mailboxes, and who should have had it turns out to
  /// be behind; one that cannot be read is passed over for a while. What is behind either goes on.
  func reading<Value>(
    _ id: MessageID, _ body: () throws(MailboxError) -> Value
  ) throws(MailboxError) -> Value {
    do throws(MailboxError) {
      return try body()
    } catch {
      if error.isLoss {
        try store.discard(id)
        cache.forget(id)
      } else if error.isOfOneMessage {
        unreadable.add(id, at: clock())
      }
      onFault(id, error)
      throw error
    }
  }

  /// A connection that can no longer be reached waits for nothing. Its unfinished deposits stay for its identity's next
  /// one, within the limits on how many and how long.
  package func forget(_ peer: Peer) { waiting.remove(peer) }

  /// `onFault` is told which fault it was; peers are not.
  func fault(_ id: MessageID?, _ error: MailboxError, to peer: Peer) -> Outgoing {
    let detail =
      error.isFullDisk
      ? "No space left on its disk" : "a fault of the carrier's machine; the log there says which"
    return refusal(id, .fault, detail, to: peer)
  }

  func refusal(
    _ id: MessageID, _ denial: CarrierAccess.Denial, to peer: Peer
  ) -> Outgoing {
    refusal(id, denial.reason, of: denial.mailboxes, denial.detail, to: peer)
  }

  func refusal(
    _ id: MessageID?, _ reason: CarrierRefusal, of mailboxes: [Mailbox] = [], _ detail: String,
    to peer: Peer
  ) -> Outgoing {
    Outgoing(
      peer: peer,
      reply: .refused(id, reason, mailboxes: mailboxes, detail: String(detail.prefix(250))))
  }
}
