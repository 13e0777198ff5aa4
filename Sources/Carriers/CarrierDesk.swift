package import Mailboxes
package import MessageFormat

/// The carrier's side of the protocol, apart from sockets: takes a peer's request, says what to send to whom.
///
/// What `handle` cannot answer before it is on the disk (`stored`) waits for `flush`, so that many deposits cost one sync.
/// Belongs to one thread. Source: docs/message-format.md, "Carrier protocol".
package final class CarrierDesk {
  /// One connection of an authenticated identity.
  package struct Peer: Hashable, Sendable {
    package let routingID: [UInt8]
    package let mailbox: Mailbox

    package init(routingID: [UInt8], mailbox: Mailbox) {
      self.routingID = routingID
      self.mailbox = mailbox
    }
  }

  /// A reply, with the chunk that it announces.
  package struct Outgoing {
    package let peer: Peer
    package let reply: CarrierReply
    package let chunk: [UInt8]?
  }

  /// The identity's, not the connection's: it goes on over the next one when this one breaks.
  private struct DepositName: Hashable {
    let depositor: Mailbox
    let id: MessageID
  }

  private struct Deposit {
    let message: IncomingMessage
    var peer: Peer
    var touchedAt: Timestamp
  }

  private let store: MailboxStore
  private let access: CarrierAccess
  private let now: () -> Timestamp
  private var deposits: [DepositName: Deposit] = [:]
  private var finished: [(peer: Peer, message: IncomingMessage)] = []
  private var waiting: [Peer: (after: UInt64, credit: UInt32)] = [:]

  package init(
    store: MailboxStore, access: CarrierAccess, now: @escaping () -> Timestamp
  ) {
    self.store = store
    self.access = access
    self.now = now
  }

  /// Whether `flush` has something to do.
  package var hasFinishedDeposits: Bool { !finished.isEmpty }

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
      return [refusal(nil, .malformed, "\(error)", to: peer)]
    }
  }

  /// Puts all finished deposits on the disk in one step and tells their senders.
  package func flush() -> [Outgoing] {
    defer { finished = [] }
    do {
      try store.commit(finished.map(\.message), at: now())
      return finished.map {
        Outgoing(peer: $0.peer, reply: .stored($0.message.offer.id), chunk: nil)
      }
    } catch {
      return finished.map { refusal($0.message.offer.id, .fault, "\(error)", to: $0.peer) }
    }
  }

  /// For the peers that wait: what has come into their mailboxes.
  package func deliverToWaiting() -> [Outgoing] {
    waiting.flatMap { peer, request in
      let answer = deliver(after: request.after, credit: request.credit, to: peer)
      if !answer.isEmpty { waiting[peer] = nil }
      return answer
    }
  }

  /// A connection that can no longer be reached waits for nothing. Its unfinished deposits stay for its identity's next
  /// one, within the limits on how many and how long.
  package func forget(_ peer: Peer) {
    waiting[peer] = nil
  }
}

// MARK: - Deposit

extension CarrierDesk {
  private func answer(_ request: CarrierRequest, from peer: Peer) -> [Outgoing] {
    switch request {
    case .deposit(let offer): begin(offer, from: peer)
    case .chunk: preconditionFailure("chunks come with their bytes")
    case .collect(let after, let credit, let wait):
      collect(after: after, credit: credit, wait: wait > 0, for: peer)
    case .fetch(let chunk, let credit): fetch(chunk, credit: credit, for: peer)
    case .acknowledge(let entry): acknowledge(entry, from: peer)
    }
  }

  private func begin(_ offer: DepositOffer, from peer: Peer) -> [Outgoing] {
    if let reason = access.refusal(of: offer, from: peer.mailbox) {
      return [refusal(offer.id, reason.refusal, reason.detail, to: peer)]
    }
    endIdleDeposits()
    let name = DepositName(depositor: peer.mailbox, id: offer.id)
    if let running = deposits[name], running.message.offer == offer {
      // Whoever asked last goes on with it: the connection before is gone, or does the same twice.
      deposits[name] = Deposit(message: running.message, peer: peer, touchedAt: now())
      return [proceed(running.message, to: peer)]
    }
    deposits[name] = nil
    makeRoom(for: peer)
    guard deposits.keys.count(where: { $0.depositor == peer.mailbox }) < Limits.openDepositCountMax
    else {
      let detail = "\(Limits.openDepositCountMax) unfinished deposits are the limit"
      return [refusal(offer.id, .overLimit, detail, to: peer)]
    }
    do throws(MailboxError) {
      if try store.contains(offer.id) {
        return [Outgoing(peer: peer, reply: .stored(offer.id), chunk: nil)]
      }
      let message = try IncomingMessage(offer, from: peer.mailbox, into: store)
      deposits[name] = Deposit(message: message, peer: peer, touchedAt: now())
      return [proceed(message, to: peer)]
    } catch {
      return [refusal(offer.id, .fault, "\(error)", to: peer)]
    }
  }

  private func endIdleDeposits() {
    let time = now()
    deposits = deposits.filter {
      $0.value.touchedAt.adding(milliseconds: Limits.depositIdleMillisecondsMax) >= time
    }
  }

  /// Where an identity is at its limit, the deposit that has rested longest on another connection of its is given up.
  private func makeRoom(for peer: Peer) {
    let own = deposits.filter { $0.key.depositor == peer.mailbox }
    guard own.count >= Limits.openDepositCountMax else { return }
    let others = own.filter { $0.value.peer != peer }
    if let oldest = others.min(by: { $0.value.touchedAt < $1.value.touchedAt }) {
      deposits[oldest.key] = nil
    }
  }

  private func take(_ chunk: [UInt8], named name: ChunkName, from peer: Peer) -> [Outgoing] {
    let deposit = DepositName(depositor: peer.mailbox, id: name.id)
    guard let running = deposits[deposit], running.peer == peer else {
      // What was under way when a deposit was refused, stored or moved needs no second answer.
      return []
    }
    let message = running.message
    // Sent again after an interruption, and there already.
    if name.index < message.nextChunk { return [] }
    guard name.index == message.nextChunk else {
      deposits[deposit] = nil
      let detail = "chunk \(message.nextChunk) expected, got \(name.index)"
      return [refusal(name.id, .outOfOrder, detail, to: peer)]
    }
    do throws(MailboxError) {
      try message.append(chunk)
    } catch {
      deposits[deposit] = nil
      if case .outOfOrder(let what) = error {
        return [refusal(name.id, .outOfOrder, what, to: peer)]
      }
      return [refusal(name.id, .fault, "\(error)", to: peer)]
    }
    deposits[deposit]?.touchedAt = now()
    if message.isComplete {
      deposits[deposit] = nil
      finished.append((peer, message))
      return []
    }
    // Half the credit early, so that the sender never runs dry.
    return message.nextChunk % (Limits.creditMax / 2) == 0 ? [proceed(message, to: peer)] : []
  }

  private func proceed(_ message: IncomingMessage, to peer: Peer) -> Outgoing {
    let next = ChunkName(id: message.offer.id, index: message.nextChunk)
    return Outgoing(peer: peer, reply: .proceed(next, credit: Limits.creditMax), chunk: nil)
  }

  private func refusal(
    _ id: MessageID?, _ reason: CarrierRefusal, _ detail: String, to peer: Peer
  ) -> Outgoing {
    Outgoing(
      peer: peer, reply: .refused(id, reason, detail: String(detail.prefix(250))), chunk: nil)
  }
}

// MARK: - Collect and acknowledge

extension CarrierDesk {
  private func collect(
    after position: UInt64, credit: UInt32, wait: Bool, for peer: Peer
  ) -> [Outgoing] {
    let answer = deliver(after: position, credit: credit, to: peer)
    if answer.isEmpty && wait {
      waiting[peer] = (position, credit)
      return []
    }
    waiting[peer] = nil
    return answer.isEmpty ? [Outgoing(peer: peer, reply: .empty, chunk: nil)] : answer
  }

  private func deliver(after position: UInt64, credit: UInt32, to peer: Peer) -> [Outgoing] {
    do throws(MailboxError) {
      guard let message = try store.first(in: peer.mailbox, after: position) else { return [] }
      let delivery = Outgoing(
        peer: peer, reply: .delivery(message.entry, message.size, more: false), chunk: nil)
      return try [delivery] + chunks(of: message, from: 0, credit: credit, to: peer)
    } catch {
      return [refusal(nil, .fault, "\(error)", to: peer)]
    }
  }

  private func fetch(_ first: ChunkName, credit: UInt32, for peer: Peer) -> [Outgoing] {
    do throws(MailboxError) {
      guard let message = try store.message(first.id, in: peer.mailbox) else {
        return [refusal(first.id, .unknownMessage, "not in your mailbox", to: peer)]
      }
      return try chunks(of: message, from: first.index, credit: credit, to: peer)
    } catch {
      return [refusal(first.id, .fault, "\(error)", to: peer)]
    }
  }

  private func chunks(
    of message: StoredMessage, from first: UInt32, credit: UInt32, to peer: Peer
  ) throws(MailboxError) -> [Outgoing] {
    guard first < message.size.chunkCount else { return [] }
    let stored = try message.open()
    var answer: [Outgoing] = []
    for index in first..<min(message.size.chunkCount, first + min(credit, Limits.creditMax)) {
      let name = ChunkName(id: message.id, index: index)
      answer.append(Outgoing(peer: peer, reply: .chunk(name), chunk: try stored[index]))
    }
    return answer
  }

  private func acknowledge(_ entry: MailboxEntry, from peer: Peer) -> [Outgoing] {
    do throws(MailboxError) {
      if let message = try store.message(entry.id, in: peer.mailbox) { try store.remove(message) }
      return [Outgoing(peer: peer, reply: .acknowledged(entry), chunk: nil)]
    } catch {
      return [refusal(entry.id, .fault, "\(error)", to: peer)]
    }
  }
}
