import Mailboxes
import MessageFormat
import Sealing

// MARK: - Deposit

extension MailboxServer {
  func begin(_ offer: DepositOffer, from peer: Peer) -> [Outgoing] {
    if let denial = access.denial(of: offer, from: peer.mailbox) {
      return [refusal(offer.id, denial, to: peer)]
    }
    let key = OpenDeposits.Key(depositor: peer.mailbox, id: offer.id)
    if let running = deposits[key], !running.isOver(at: clock()) {
      if running.message.offer == offer {
        // The connection that asked last goes on with it: the one before is gone, or does the same twice.
        deposits.move(key, to: peer, at: clock())
        return [proceed(running.message, to: peer)]
      }
    }
    deposits.end(key)
    if deposits.count(of: peer.mailbox) >= Limits.openDepositCountMax { makeRoom(for: peer) }
    guard deposits.count(of: peer.mailbox) < Limits.openDepositCountMax else {
      let detail = "\(Limits.openDepositCountMax) unfinished deposits are the limit"
      return [refusal(offer.id, .overLimit, detail, to: peer)]
    }
    do throws(MailboxError) {
      try discardEndedDeposits()
      return try admit(offer, from: peer)
    } catch {
      onFault(offer.id, error)
      return [fault(offer.id, error, to: peer)]
    }
  }

  private func admit(_ offer: DepositOffer, from peer: Peer) throws(MailboxError) -> [Outgoing] {
    let report = try store.report(on: offer, from: peer.mailbox)
    switch report.stored {
    case .without([]):
      return [Outgoing(peer: peer, reply: .stored(offer.id))]
    case .fromAnother:
      return [refusal(offer.id, .notAllowed, Self.isAnothers, to: peer)]
    case .without, .not: break
    }
    if let denial = quotas.denial(
      of: offer, from: peer.mailbox, report: report, underWay: deposits.reservations)
    {
      return [refusal(offer.id, denial, to: peer)]
    }
    if case .without(let missing) = report.stored {
      return try addMailboxes(missing, of: offer, from: peer)
    }
    let message = try store.resume(offer, from: peer.mailbox)
    deposits.begin(message, from: peer, at: clock())
    return [proceed(message, to: peer)]
  }

  static let isAnothers = "it is stored already, from another depositor"

  /// The bytes are here: only the recipients are new.
  private func addMailboxes(
    _ missing: [Mailbox], of offer: DepositOffer, from peer: Peer
  ) throws(MailboxError) -> [Outgoing] {
    let header = try reading(offer.id) { () throws(MailboxError) in
      try store.header(of: offer.id)
    }
    guard let header else {
      throw .missing(offer.id)
    }
    if let fault = Self.fault(inHeader: header, of: offer) {
      return [refusal(offer.id, .malformed, fault, to: peer)]
    }
    finished.append((peer, .offer(offer)))
    return []
  }

  /// Chunk 0 is in clear, so that the offer's word for it need not be trusted; `nil`: it says the truth.
  private static func fault(inHeader bytes: [UInt8], of offer: DepositOffer) -> String? {
    guard MessageID(ofHeader: bytes) == offer.id else {
      return "the message id is not the digest of chunk 0"
    }
    do throws(FormatError) {
      let recipients = Set(try SealedHeader(decoding: bytes).recipients.map(\.mailbox))
      return offer.mailboxes.first { !recipients.contains($0) }
        .map { "mailbox \($0.abbreviated) is no recipient of the message" }
    } catch {
      return "chunk 0: \(error)"
    }
  }

  /// Where an identity is at its limit, what is given up is a deposit that has come to an end by itself, or the one that
  /// has rested longest on another connection of its.
  private func makeRoom(for peer: Peer) {
    endIdleDeposits()
    if deposits.count(of: peer.mailbox) >= Limits.openDepositCountMax {
      deposits.endOldest(notOf: peer)
    }
  }

  func endIdleDeposits() { deposits.endIdle(at: clock()) }

  func take(_ chunk: [UInt8], named name: ChunkName, from peer: Peer) -> [Outgoing] {
    let key = OpenDeposits.Key(depositor: peer.mailbox, id: name.id)
    guard let running = deposits[key], running.peer == peer else {
      // What was under way when a deposit was refused, stored or moved needs no second answer.
      return []
    }
    let message = running.message
    // Sent again after an interruption, and there already.
    if name.index < message.nextChunk { return [] }
    guard name.index == message.nextChunk else {
      deposits.end(key)
      let detail = "chunk \(message.nextChunk) expected, got \(name.index)"
      return [refusal(name.id, .outOfOrder, detail, to: peer)]
    }
    if name.index == 0, let fault = Self.fault(inHeader: chunk, of: message.offer) {
      deposits.end(key)
      return [refusal(name.id, .malformed, fault, to: peer)]
    }
    do throws(MailboxError) {
      try message.append(chunk)
      if let denial = try overflow(of: message, key) {
        deposits.end(key)
        return [refusal(name.id, denial, to: peer)]
      }
    } catch {
      deposits.end(key)
      if case .outOfOrder(let what) = error {
        return [refusal(name.id, .outOfOrder, what, to: peer)]
      }
      onFault(name.id, error)
      return [fault(name.id, error, to: peer)]
    }
    return noteChunk(of: message, key, from: peer)
  }

  private func noteChunk(
    of message: MessageWriter, _ key: OpenDeposits.Key, from peer: Peer
  ) -> [Outgoing] {
    if message.isComplete {
      deposits.finish(key)
      finished.append((peer, .deposit(message)))
      return []
    }
    deposits.touch(key, at: clock())
    return isAtStep(message) ? [proceed(message, to: peer)] : []
  }

  /// Half the credit early, so that the sender never runs dry.
  private func isAtStep(_ message: MessageWriter) -> Bool {
    message.nextChunk % (Limits.creditMax / 2) == 0
  }

  /// Whether there is still room for what has come; asked now and then, and before it is said to be stored.
  private func overflow(
    of message: MessageWriter, _ key: OpenDeposits.Key
  ) throws(MailboxError) -> CarrierAccess.Denial? {
    guard quotas.mailbox != .none, message.isComplete || isAtStep(message) else { return nil }
    deposits.countWhatHasCome(of: key)
    var underWay = deposits.reservations
    if message.isComplete { underWay.addWhole(message.offer) }
    let report = try store.report(on: message.offer, from: message.depositor)
    return quotas.overflow(of: report, underWay: underWay)
  }

  private func proceed(_ message: MessageWriter, to peer: Peer) -> Outgoing {
    let next = ChunkName(id: message.offer.id, index: message.nextChunk)
    return Outgoing(peer: peer, reply: .proceed(next, credit: Limits.creditMax))
  }
}
