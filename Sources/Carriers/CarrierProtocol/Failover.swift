package import Mailboxes
package import MessageFormat
import Synchronization

/// Several carriers that lead to the same mailboxes, in a row: a message goes by the first; by the next one where something
/// has waited for so long, and none before it has moved any of it; and so on.
///
/// Who has stepped in takes all that waits and comes, until one before it moves something again. What two have taken comes
/// twice, which readers bear. Waits are on the monotonic clock, and begin anew with the program.
package final class Failover: Sendable {
  private struct State {
    /// How many carriers lead to each mailbox.
    var counts: [Mailbox: Int] = [:]
    /// When each carrier of the row has moved something of a mailbox.
    var moves: [Mailbox: [ContinuousClock.Instant?]] = [:]
  }

  let delay: Duration
  private let state = Mutex(State())

  package init(after delay: Duration) { self.delay = delay }

  /// The place of the next carrier: behind all that have one already.
  package func turn(for mailboxes: Set<Mailbox>) -> FailoverTurn {
    let places = state.withLock { state in
      var places: [Mailbox: Int] = [:]
      for mailbox in mailboxes {
        places[mailbox] = state.counts[mailbox, default: 0]
        state.counts[mailbox, default: 0] += 1
      }
      return places
    }
    return FailoverTurn(self, at: places)
  }

  fileprivate func noteMove(
    of mailboxes: [Mailbox], by places: [Mailbox: Int], at now: ContinuousClock.Instant
  ) {
    state.withLock { state in
      for mailbox in mailboxes {
        guard let place = places[mailbox], let count = state.counts[mailbox], count > 1 else {
          continue
        }
        var moves = state.moves[mailbox] ?? []
        if moves.count < count { moves += Array(repeating: nil, count: count - moves.count) }
        moves[place] = now
        state.moves[mailbox] = moves
      }
    }
  }

  fileprivate func lastMove(of mailbox: Mailbox, before place: Int) -> ContinuousClock.Instant? {
    state.withLock { $0.moves[mailbox]?.prefix(place).compactMap { $0 }.max() }
  }
}

/// A carrier's place among those that lead to the same mailboxes.
package final class FailoverTurn: Sendable {
  private enum Wait {
    /// Something waits, as far as this carrier has seen, since then.
    case since(ContinuousClock.Instant)
    /// It has stepped in.
    case over(ContinuousClock.Instant)
  }

  private struct State {
    var waits: [Mailbox: Wait] = [:]
    var next: ContinuousClock.Instant?
  }

  /// Of a carrier that is alone.
  package static let only = FailoverTurn(Failover(after: .zero), at: [:])

  private let failover: Failover
  private let places: [Mailbox: Int]
  /// Mailboxes to which other carriers lead first.
  private let later: Set<Mailbox>
  private let state = Mutex(State())

  fileprivate init(_ failover: Failover, at places: [Mailbox: Int]) {
    (self.failover, self.places) = (failover, places)
    later = Set(places.filter { $0.value > 0 }.keys)
  }

  /// When another mailbox may be this carrier's turn; `nil`: not by time alone.
  package var next: ContinuousClock.Instant? { state.withLock { $0.next } }

  /// Those of `mailboxes` whose messages this carrier may take now.
  package func mailboxes(
    of mailboxes: Set<Mailbox>, in store: MailboxStore, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> Set<Mailbox> {
    // Of ten thousand mailboxes none is looked at where this carrier is the only one, or the first.
    let later = later.isEmpty ? later : later.intersection(mailboxes)
    guard !later.isEmpty else { return mailboxes }
    let waiting = try store.waitingMailboxes(among: later)
    let closed = state.withLock { state in
      state.next = nil
      return later.filter { !isTurn(for: $0, waiting.contains($0), &state, at: now) }
    }
    return mailboxes.subtracting(closed)
  }

  private func isTurn(
    for mailbox: Mailbox, _ hasMessages: Bool, _ state: inout State,
    at now: ContinuousClock.Instant
  ) -> Bool {
    let place = places[mailbox, default: 0]
    let lastMove = failover.lastMove(of: mailbox, before: place)
    if case .over(let begin)? = state.waits[mailbox] {
      if lastMove.map({ $0 <= begin }) ?? true { return true }
      state.waits[mailbox] = nil
    }
    guard hasMessages else {
      state.waits[mailbox] = nil
      return false
    }
    var since = now
    if case .since(let instant)? = state.waits[mailbox] { since = instant }
    let end = max(since, lastMove ?? since) + failover.delay * place
    guard end > now else {
      state.waits[mailbox] = .over(now)
      return true
    }
    state.waits[mailbox] = .since(since)
    state.next = state.next.map { min($0, end) } ?? end
    return false
  }

  /// This carrier has brought something of these further.
  package func noteMove(of mailboxes: [Mailbox], at now: ContinuousClock.Instant) {
    failover.noteMove(of: mailboxes, by: places, at: now)
  }
}

extension CarrierPort {
  /// Tells the other carriers of the row what this one moves.
  var notingMoves: CarrierPort {
    var port = self
    let (turn, delivered, moved) = (turn, delivered, moved)
    port.delivered = { messages in
      turn.noteMove(of: messages.flatMap(\.mailboxes), at: .now)
      try delivered(messages)
    }
    port.moved = { mailboxes, done, total in
      turn.noteMove(of: mailboxes, at: .now)
      moved(mailboxes, done, total)
    }
    return port
  }
}
