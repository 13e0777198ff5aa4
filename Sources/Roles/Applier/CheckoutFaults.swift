import MessageFormat

/// The checkouts that a step has just failed on: their messages wait a while, and those of the others go on.
struct CheckoutFaults {
  /// A fault that lasts as long is told to the signer, and shown by `status`.
  static let blockedAfter: Duration = .seconds(60)

  private static let delays: [Duration] = [1, 2, 5, 10, 30].map { .seconds($0) }

  private struct Wait {
    /// `nil`: since a run before this one.
    var since: ContinuousClock.Instant?
    var failureCount = 0
    /// `nil`: nothing waits for it at present.
    var end: ContinuousClock.Instant?
    var fault: CheckoutFault?
    var toldReason: BlockReason?
  }

  private let now: () -> ContinuousClock.Instant
  private var waits: [String: Wait] = [:]
  /// Those for which a command runs.
  private var busy: Set<String> = []
  private(set) var held: [String: HeldMessages] = [:]
  private let share: InboxShare
  /// A step sees every wait as it was at its beginning: one that ended in between would let a message pass one that was
  /// held before it.
  private var stepBegin: ContinuousClock.Instant

  init(share: InboxShare, now: @escaping () -> ContinuousClock.Instant) {
    self.share = share
    self.now = now
    stepBegin = now()
  }

  /// One for which something waits.
  var last: CheckoutFault? { waits.values.first { $0.end != nil }?.fault }

  /// When the next of them is to be tried again.
  var nextEnd: ContinuousClock.Instant? { waits.values.compactMap(\.end).min() }

  mutating func beginStep() { stepBegin = now() }

  // MARK: - Faults

  mutating func note(_ fault: CheckoutFault) {
    var wait = waits[fault.path] ?? Wait(since: now())
    wait.failureCount += 1
    wait.end = now() + Self.delays[min(wait.failureCount, Self.delays.count) - 1]
    wait.fault = fault
    waits[fault.path] = wait
  }

  /// Nothing is wrong, and nothing is to be done for so long; told at once.
  mutating func pause(_ fault: CheckoutFault, for duration: Duration) {
    var wait = waits[fault.path] ?? Wait(since: nil)
    wait.end = now() + duration
    wait.fault = fault
    waits[fault.path] = wait
  }

  /// A run before this one has told of it.
  mutating func restoreBlock(of path: String) { waits[path] = Wait(since: nil) }

  /// The checkout can be worked on; what was held for it is tried before anything else.
  mutating func forget(_ path: String) { waits[path] = nil }

  /// Nothing is left to be tried: what waits no longer has nothing to wait for. Of a fault that was told we still know
  /// since when.
  mutating func forgetEnded() {
    for (path, wait) in waits {
      guard let end = wait.end, end <= stepBegin else { continue }
      waits[path]?.end = nil
      if !isBlocked(path) { waits[path] = nil }
    }
  }

  /// Until `endWork`.
  mutating func beginWork(_ path: String) { busy.insert(path) }

  mutating func endWork(_ path: String) { busy.remove(path) }

  func isWaiting(_ path: String) -> Bool {
    busy.contains(path) || waits[path]?.end.map { $0 > stepBegin } ?? false
  }

  /// Why a checkout has not been workable for so long that others are to know.
  func block(of path: String) -> CheckoutFault? { isBlocked(path) ? waits[path]?.fault : nil }

  func fault(of path: String) -> CheckoutFault? { waits[path]?.fault }

  private func isBlocked(_ path: String) -> Bool {
    guard let wait = waits[path] else { return false }
    return wait.since.map { now() - $0 >= Self.blockedAfter } ?? true
  }

  /// Once for each reason; `nil`: nothing new.
  mutating func takeUntoldBlock(of path: String) -> CheckoutFault? {
    guard let fault = block(of: path), waits[path]?.toldReason != fault.blockReason else {
      return nil
    }
    waits[path]?.toldReason = fault.blockReason
    return fault
  }

  // MARK: - Messages

  /// Found to be for a checkout that waits; `false`: they are as many as its share allows.
  mutating func hold(_ message: HeldMessages.Entry, for path: String) -> Bool {
    if held[path]?.contains(message.id) == true { return true }
    let (count, byteCount) = held[path].map { ($0.count, $0.byteCount) } ?? (0, 0)
    // One is always kept, however large.
    guard
      count == 0
        || (count < share.messageCountMax && byteCount + message.byteCount <= share.byteCountMax)
    else { return false }
    held[path, default: HeldMessages()].add(message)
    return true
  }

  /// The messages of a step, which has begun: beyond the share as well.
  mutating func hold(_ patches: [CheckedPatch], for path: String) {
    for patch in patches {
      held[path, default: HeldMessages()].add(
        .init(id: patch.stored.id, byteCount: patch.stored.size.byteCount))
    }
  }

  /// They are answered.
  mutating func release(_ messages: Set<MessageID>) {
    for path in held.keys {
      held[path]?.remove(messages)
      if held[path]?.count == 0 { held[path] = nil }
    }
  }

  func isHeld(_ message: MessageID) -> Bool { held.values.contains { $0.contains(message) } }

  /// What waited for a checkout that is to be tried again.
  func readyMessages(countMax: Int) -> [MessageID]? {
    held.first { !isWaiting($0.key) }?.value.first(countMax)
  }
}

/// How much of the inbox may wait for one checkout, so that the others always find room.
struct InboxShare {
  let messageCountMax: Int
  let byteCountMax: UInt64

  init(checkoutCount: Int) {
    messageCountMax = max(1, Int(Limits.inboxMessageCountMax) / (checkoutCount + 1))
    byteCountMax = Limits.inboxByteCountMax / UInt64(checkoutCount + 1)
  }
}
