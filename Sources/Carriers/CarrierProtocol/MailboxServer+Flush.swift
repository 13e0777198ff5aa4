package import Mailboxes
import MessageFormat

extension MailboxServer {
  /// Whether `flush` has something to do.
  package var hasFinished: Bool { !finished.isEmpty }

  /// Puts on the disk, in one step, all that has been finished, and tells the connections that asked for it.
  package func flush() -> [Outgoing] {
    let batch = finished
    (finished, leaving) = ([], [:])
    var settlements: [Settlement] = []
    for (peer, what) in batch {
      switch what {
      case .deposit(let message): settlements.append(.message(message))
      case .offer(let offer): settlements.append(.offer(offer, from: peer.mailbox))
      case .acknowledged(_, let message?):
        settlements.append(.removal(message))
        cache.forget(message.id)
      case .acknowledged(_, nil): break
      }
    }
    defer {
      for case .deposit(let message) in batch.map(\.what) { deposits.settle(message) }
    }
    do throws(MailboxError) {
      let isThere = try store.settle(settlements, at: now())
      return answers(to: batch, isThere: isThere)
    } catch {
      onFault(nil, error)
      return batch.map { peer, what in fault(what.id, error, to: peer) }
    }
  }

  private func answers(
    to batch: [(peer: Peer, what: Finished)], isThere: [Bool]
  ) -> [Outgoing] {
    var isThere = isThere[...]
    return batch.flatMap { peer, what in
      switch what {
      case .deposit(let message):
        guard message.isStored else {
          return [refusal(message.offer.id, .notAllowed, Self.isAnothers, to: peer)]
        }
        changed.formUnion(message.offer.mailboxes)
        return [Outgoing(peer: peer, reply: .stored(message.offer.id))]
      case .offer(let offer):
        // Its last reader has taken it meanwhile: its bytes are needed after all.
        guard isThere.popFirst() == true else { return begin(offer, from: peer) }
        changed.formUnion(offer.mailboxes)
        return [Outgoing(peer: peer, reply: .stored(offer.id))]
      case .acknowledged(let entry, _):
        return [Outgoing(peer: peer, reply: .acknowledged(entry))]
      }
    }
  }

  /// Upkeep, a little at a time: deposits given up or taken up again, messages that no recipient could accept
  /// any more, space that is given back. Answers whether there is more to do.
  package func maintain() throws(MailboxError) -> Bool {
    endIdleDeposits()
    try resumeDeposits()
    cache.forgetAll()
    let swept = try store.sweep(at: now())
    if swept.messageCount > 0 { onSweep(swept) }
    let hasMorePages = try store.state.giveBackSpace(
      above: Self.slackByteCount, byteCountMax: Self.freedByteCountMax)
    return swept.messageCount == MailboxStore.sweptCountMax || hasMorePages
  }

  /// Kept for the next messages, which would have to ask the file system for it again.
  private static let slackByteCount = 4 << 20
  private static let freedByteCountMax = 8 << 20
}

extension MailboxServer.Finished {
  fileprivate var id: MessageID {
    switch self {
    case .deposit(let message): message.offer.id
    case .offer(let offer): offer.id
    case .acknowledged(let entry, _): entry.id
    }
  }
}
