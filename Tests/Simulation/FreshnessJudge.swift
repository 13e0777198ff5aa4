import Applier
import GitModel
import MessageFormat

/// What an applier's status says of its checkouts at any time, while faults last as well: fresh is only what its signer's
/// stream led to within the life of a heartbeat, and behind only what is not where the stream led then.
struct FreshnessJudge {
  /// As `Heartbeats` has it.
  private static let lifeIntervalCount: UInt64 = 5
  private static let invariant = "status of the applier is true"

  let world: World

  func judge(_ applier: ApplierHost) throws {
    let status = try applier.status()
    for checkout in applier.checkouts where !checkout.isAway && !checkout.isDamaged {
      let found = status.checkouts.first { $0.settings.path == checkout.path }
      guard let found, found.revision == checkout.head else {
        throw Violation(Self.invariant, "\(checkout.name): another revision")
      }
      if let what = flaw(of: found, checkout, applier) {
        throw Violation(Self.invariant, "\(checkout.name) is \(found.freshness.rawValue): \(what)")
      }
    }
  }

  /// `nil`: it may be so.
  private func flaw(
    of status: CheckoutStatus, _ checkout: Checkout, _ applier: ApplierHost
  ) -> String? {
    let hasHeard = applier.heard.contains(checkout.branch)
    let recent = recentHeads(of: checkout.branch)
    switch status.staleness {
    case nil where status.freshness == .unheard:
      // One that was received at a time that cannot be says nothing.
      return hasHeard && areClocksRight(of: applier) ? "a heartbeat was answered" : nil
    case nil:
      guard areClocksRight(of: applier), let head = checkout.head else { return nil }
      return recent.contains { hasSameFiles($0, head) }
        ? nil : "the stream has not led to the files of \(head.abbreviated) lately"
    case .elsewhere(let newest):
      if newest == checkout.head { return "it is at \(newest.abbreviated)" }
      guard areClocksRight(of: applier) else { return nil }
      return recent.contains(newest)
        ? nil : "the stream has not led to \(newest.abbreviated) lately"
    case .silent: return hasHeard && areClocksRight(of: applier) ? "a heartbeat was heard" : nil
    case .expired: return hasHeard ? nil : "no heartbeat was ever heard"
    }
  }

  private var lifeMilliseconds: UInt64 { Self.lifeIntervalCount * 1_000 * world.heartbeatSeconds }

  /// Where the stream led to at any moment within the life of a heartbeat.
  private func recentHeads(of branch: BranchName) -> Set<ObjectID> {
    let now = world.clock.milliseconds
    let begin = now - min(now, lifeMilliseconds)
    let heads = world.heads[branch, default: []]
    let first = heads.lastIndex { $0.time <= begin } ?? heads.startIndex
    return Set(heads[first...].map(\.revision))
  }

  /// Also of two commits: a machine with the files of a newest revision is up to date.
  private func hasSameFiles(_ one: ObjectID, _ other: ObjectID) -> Bool {
    guard one != other else { return true }
    guard let files = world.source.files[one] else { return false }
    return files == world.source.files[other]
  }

  /// For so long that nothing of a wrong one lives any more.
  private func areClocksRight(of applier: ApplierHost) -> Bool {
    [applier.clock, world.signer.clock].allSatisfy { clock in
      guard clock.aheadMilliseconds == 0 else { return false }
      let end = (clock.steppedAt ?? 0) + 2 * lifeMilliseconds + Limits.clockSkewMillisecondsMax
      return clock.steppedAt == nil || end < world.clock.milliseconds
    }
  }
}
