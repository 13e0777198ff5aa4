import Host
package import MessageFormat
import Synchronization

/// A broker in memory: mailboxes for each of its ends, and faults on the way. What it has taken survives its
/// ends, as on a disk of its own.
///
/// Nothing moves by itself: each step of an end moves one chunk each way. With the same seed, clock, faults and order of
/// steps, everything happens the same way again.
package final class InProcessBroker: Sendable {
  /// A message that was taken whole.
  struct Parcel: Sendable {
    let id: MessageID
    let depositor: Mailbox
    let size: SealedSize
    let slot: Slot?
    let chunks: [[UInt8]]
  }

  /// A parcel in a mailbox.
  struct Delivery: Sendable {
    let number: UInt64
    let parcel: Parcel
    let visible: ContinuousClock.Instant
  }

  struct State: Sendable {
    var random: SplitMix64
    var faults: InProcessFaults
    var mailboxes: [Mailbox: [Delivery]] = [:]
    /// What was delivered last, for `replay`.
    var history: [Mailbox: [Parcel]] = [:]
    /// Chunks of what is not whole yet.
    var partials: [PartialKey: [[UInt8]]] = [:]
    var deliveryCount: UInt64 = 0
  }

  struct PartialKey: Hashable, Sendable {
    let depositor: Mailbox
    let id: MessageID
  }

  private static let historyCountMax = 64

  let state: Mutex<State>
  let now: @Sendable () -> ContinuousClock.Instant

  package init(
    seed: UInt64 = 0, faults: InProcessFaults = .none,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    state = Mutex(State(random: SplitMix64(seed: seed), faults: faults))
    self.now = now
  }

  /// Everything else stays as it is.
  package func behave(_ faults: InProcessFaults = .none) { state.withLock { $0.faults = faults } }

  package func waitingCount(for mailbox: Mailbox) -> Int {
    state.withLock { $0.mailboxes[mailbox]?.count ?? 0 }
  }

  /// When the first message becomes visible that is still on its way; `nil`: none is.
  package var nextArrival: ContinuousClock.Instant? {
    let now = now()
    return state.withLock { state in
      state.mailboxes.values.joined().map(\.visible).filter { $0 > now }.min()
    }
  }

  /// Into these mailboxes, as far as the faults let it.
  func put(_ parcel: Parcel, into mailboxes: [Mailbox]) {
    let now = now()
    state.withLock { state in
      state.partials[PartialKey(depositor: parcel.depositor, id: parcel.id)] = nil
      for mailbox in mailboxes where !state.random.happens(state.faults.drop) {
        if let slot = parcel.slot {
          state.mailboxes[mailbox]?.removeAll {
            $0.parcel.slot == slot && $0.parcel.depositor == parcel.depositor
          }
        }
        state.deliver(parcel, to: mailbox, at: now)
        if state.random.happens(state.faults.duplicate) {
          state.deliver(parcel, to: mailbox, at: now)
        }
      }
    }
  }

  /// What is delivered next.
  func next(for mailbox: Mailbox) -> Delivery? {
    let now = now()
    return state.withLock { state in
      if state.random.happens(state.faults.replay),
        let old = state.history[mailbox]?.randomElement(using: &state.random)
      {
        state.deliver(old, to: mailbox, at: now)
      }
      let waiting = state.mailboxes[mailbox, default: []]
      guard state.random.happens(state.faults.reorder) else {
        return waiting.first { $0.visible <= now }
      }
      return waiting.filter { $0.visible <= now }.randomElement(using: &state.random)
    }
  }

  func acknowledge(_ delivery: Delivery, in mailbox: Mailbox) {
    state.withLock { state in
      if state.random.happens(state.faults.loseAcknowledgement) { return }
      state.mailboxes[mailbox]?.removeAll { $0.number == delivery.number }
      state.history[mailbox, default: []].append(delivery.parcel)
      if state.history[mailbox, default: []].count > Self.historyCountMax {
        state.history[mailbox]?.removeFirst()
      }
    }
  }

  /// Whether the line breaks now, or there is none.
  func breaks() -> Bool {
    state.withLock { $0.faults.isDown || $0.random.happens($0.faults.cut) }
  }

  var isDown: Bool { state.withLock { $0.faults.isDown } }

  /// Its seed's own, so that pauses repeat as well.
  var jitter: Backoff.Jitter {
    { [self] in state.withLock { .random(in: 0.5...1, using: &$0.random) } }
  }

  /// Why a message of that size is not taken for a mailbox.
  func refusal(of mailbox: Mailbox, _ byteCount: UInt64) -> (CarrierRefusal, String)? {
    state.withLock { state in
      if state.faults.refused.contains(mailbox) {
        return (.unknownMailbox, "there is no mailbox \(mailbox.abbreviated) here")
      }
      let waiting = state.mailboxes[mailbox, default: []].reduce(byteCount) {
        $0 + $1.parcel.size.byteCount
      }
      guard waiting > state.faults.mailboxByteCountMax else { return nil }
      return (
        .overQuota,
        "\(waiting) bytes would be over its quota of \(state.faults.mailboxByteCountMax)"
      )
    }
  }
}

extension InProcessBroker.State {
  fileprivate mutating func deliver(
    _ parcel: InProcessBroker.Parcel, to mailbox: Mailbox, at now: ContinuousClock.Instant
  ) {
    deliveryCount += 1
    let part = Double.random(in: 0...1, using: &random)
    let delay = faults.delay.lowerBound + (faults.delay.upperBound - faults.delay.lowerBound) * part
    mailboxes[mailbox, default: []].append(
      .init(number: deliveryCount, parcel: parcel, visible: now + delay))
  }
}
