import Mailboxes
import MessageFormat

// MARK: - Collect and acknowledge

extension MailboxServer {
  func collect(
    after position: UInt64, credit: UInt32, waitMilliseconds: UInt32, for peer: Peer
  ) -> [Outgoing] {
    waiting.remove(peer)
    let answer = deliver(after: position, credit: credit, to: peer)
    guard answer.isEmpty else { return answer }
    guard waitMilliseconds > 0 else { return [Outgoing(peer: peer, reply: .empty)] }
    let end = clock() + .milliseconds(waitMilliseconds)
    waiting.insert(.init(after: position, credit: credit, end: end), of: peer)
    return []
  }

  /// As many whole messages as there is credit for; of the first one at least a part.
  private func deliver(after position: UInt64, credit: UInt32, to peer: Peer) -> [Outgoing] {
    while true {
      do throws(MailboxError) {
        let chosen = try messages(for: peer.mailbox, after: position, credit: credit)
        var answer: [Outgoing] = []
        for (index, message) in chosen.enumerated() {
          let more = index + 1 < chosen.count
          answer.append(
            Outgoing(peer: peer, reply: .delivery(message.entry, message.size, more: more)))
          answer += try chunks(of: message, from: 0, credit: credit, to: peer)
        }
        return answer
      } catch {
        // That one has left the mailbox, or is passed over: the others, then.
        if error.isOfOneMessage { continue }
        onFault(nil, error)
        return [fault(nil, error, to: peer)]
      }
    }
  }

  private func messages(
    for mailbox: Mailbox, after position: UInt64, credit: UInt32
  ) throws(MailboxError) -> [StoredMessage] {
    let gone = leaving[mailbox, default: []]
    unreadable.forgetEnded(at: clock())
    // The smallest message has two chunks.
    let countMax = max(1, Int(min(credit, Limits.creditMax)) / 2) + gone.count + unreadable.count
    var (chosen, rest): ([StoredMessage], UInt32) = ([], min(credit, Limits.creditMax))
    for message in try store.messages(in: mailbox, after: position, countMax: countMax)
    where !gone.contains(message.id) && !unreadable.contains(message.id) {
      guard chosen.isEmpty || message.size.chunkCount <= rest else { break }
      chosen.append(message)
      rest -= min(rest, message.size.chunkCount)
    }
    return chosen
  }

  func fetch(_ first: ChunkName, credit: UInt32, for peer: Peer) -> [Outgoing] {
    do throws(MailboxError) {
      guard let message = try store.message(first.id, in: peer.mailbox) else {
        return [refusal(first.id, .unknownMessage, "not in your mailbox", to: peer)]
      }
      return try chunks(of: message, from: first.index, credit: credit, to: peer)
    } catch {
      if !error.isOfOneMessage { onFault(first.id, error) }
      return [fault(first.id, error, to: peer)]
    }
  }

  private func chunks(
    of message: StoredMessage, from first: UInt32, credit: UInt32, to peer: Peer
  ) throws(MailboxError) -> [Outgoing] {
    let end = min(message.size.chunkCount, first + min(credit, Limits.creditMax))
    guard first < end else { return [] }
    let opened = try reading(message.id) { () throws(MailboxError) in try cache.open(message) }
    return (first..<end).map {
      let name = ChunkName(id: message.id, index: $0)
      return Outgoing(peer: peer, reply: .chunk(name), message: opened)
    }
  }

  func acknowledge(_ entry: MailboxEntry, from peer: Peer) -> [Outgoing] {
    do throws(MailboxError) {
      let message = try store.message(entry.id, in: peer.mailbox)
      if message != nil { leaving[peer.mailbox, default: []].insert(entry.id) }
      finished.append((peer, .acknowledged(entry, message)))
      return []
    } catch {
      onFault(entry.id, error)
      return [fault(entry.id, error, to: peer)]
    }
  }
}

// MARK: - Waiting connections

extension MailboxServer {
  /// When `endWaits` is next to be called.
  package var nextWaitEnd: ContinuousClock.Instant? { waiting.nextEnd }

  /// For connections whose wait is over: there was nothing.
  package func endWaits() -> [Outgoing] {
    waiting.takeExpired(at: clock()).map { Outgoing(peer: $0, reply: .empty) }
  }

  /// For connections that wait for what `flush` has put into their mailboxes.
  package func deliverToWaiting() -> [Outgoing] {
    defer { changed = [] }
    return deliver(toWaitingFor: changed)
  }

  /// The same where something else may have been put into any mailbox.
  package func deliverToAllWaiting() -> [Outgoing] {
    deliver(toWaitingFor: Set(waiting.mailboxes))
  }

  private func deliver(toWaitingFor mailboxes: Set<Mailbox>) -> [Outgoing] {
    var all: [Outgoing] = []
    for mailbox in mailboxes {
      for (peer, request) in waiting.waiting(for: mailbox) {
        let answer = deliver(after: request.after, credit: request.credit, to: peer)
        if !answer.isEmpty { waiting.remove(peer) }
        all += answer
      }
    }
    return all
  }
}
