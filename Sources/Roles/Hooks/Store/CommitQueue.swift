import Host
import Mailboxes
import MessageFormat
import Synchronization
import Threads

/// Stores what comes on a thread of its own: all that wait at one moment are one commit, so that the disk is synced a few
/// times for many requests. A request waits for its commit without a thread.
final class CommitQueue: Sendable {
  private struct Waiter {
    let delivery: HookDelivery
    let continuation: CheckedContinuation<DeliveryOutcome, any Error>
  }

  private struct State {
    var waiters: [Waiter] = []
    var refusals: [RefusalKey: Int] = [:]
    var isStopping = false
  }

  /// Requests that were refused are counted together with what is stored, and else so often.
  private static let countInterval: Duration = .seconds(10)

  private let store: HookStore
  private let now: @Sendable () -> Timestamp
  private let onStored: @Sendable () -> Void
  private let liveness = LoopLiveness()
  private let bell = Bell()
  private let state = Mutex(State())
  private let thread = Mutex<LoopThread?>(nil)

  /// `onStored`: there is something for the signer; on the queue's thread.
  init(
    _ store: HookStore, now: @escaping @Sendable () -> Timestamp,
    onStored: @escaping @Sendable () -> Void
  ) throws(ThreadError) {
    (self.store, self.now, self.onStored) = (store, now, onStored)
    liveness.end()
    let thread = try LoopThread { [self] in work() }
    self.thread.withLock { $0 = thread }
  }

  var delay: Duration { liveness.delay }

  /// Returns when it is on the disk. Throws `HookFault.busy` where too many wait, and what the disk says.
  func store(_ delivery: HookDelivery) async throws -> DeliveryOutcome {
    try await withCheckedThrowingContinuation { continuation in
      let isTaken = state.withLock { state in
        guard state.waiters.count < HookLimits.queueCountMax, !state.isStopping else {
          return false
        }
        state.waiters.append(Waiter(delivery: delivery, continuation: continuation))
        return true
      }
      guard isTaken else { return continuation.resume(throwing: HookFault.busy) }
      bell.ring()
    }
  }

  func count(_ key: RefusalKey) { state.withLock { $0.refusals[key, default: 0] += 1 } }

  /// Stores what waits, and ends.
  func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }

  private func work() {
    var nextCount = ContinuousClock.now
    while true {
      liveness.rest(for: Self.countInterval)
      bell.wait(for: Self.countInterval)
      liveness.beat()
      while commit() {}
      let isOver = state.withLock { $0.isStopping && $0.waiters.isEmpty }
      if isOver || nextCount <= .now {
        saveCounts()
        nextCount = .now + Self.countInterval
      }
      if isOver { return liveness.end() }
    }
  }

  /// Whether there was something to store.
  private func commit() -> Bool {
    let batch = state.withLock { state in
      let batch = Array(state.waiters.prefix(HookLimits.commitCountMax))
      state.waiters.removeFirst(batch.count)
      return batch
    }
    guard !batch.isEmpty else { return false }
    do throws(MailboxError) {
      let outcomes = try store.store(batch.map(\.delivery))
      for (waiter, outcome) in zip(batch, outcomes) {
        waiter.continuation.resume(returning: outcome)
      }
      onStored()
    } catch {
      for waiter in batch { waiter.continuation.resume(throwing: error) }
    }
    return true
  }

  private func saveCounts() {
    let refusals = state.withLock { state in
      defer { state.refusals = [:] }
      return state.refusals
    }
    guard !refusals.isEmpty else { return }
    do throws(MailboxError) {
      try store.count(refusals, at: now())
    } catch {
      // Figures for people: what concerns the disk is said by the next request that is stored.
    }
  }
}
