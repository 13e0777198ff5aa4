import GitModel
import MessageFormat
import Signer

/// The end of a run: faults stop, people undo what they did, and within two hours every checkout is what its signer last
/// said, by itself; or both sides say why not, and a push settles it.
struct Settlement {
  private static let millisecondsMax: UInt64 = 2 * 3_600 * 1_000
  /// Until what is refused for good counts as that: healing is tried some times before, and after a push its message comes.
  private static let patienceMilliseconds: UInt64 = 15 * 60 * 1_000
  private static let pushMilliseconds: UInt64 = 3 * 60 * 1_000
  /// Longer each time: most are equal soon, and who is not takes what the next heartbeats bring.
  private static let waitMilliseconds: ClosedRange<UInt64> = 60_000...960_000

  let world: World
  private let operators: Operator

  init(_ world: World, _ operators: Operator) { (self.world, self.operators) = (world, operators) }

  func run() throws {
    try world.endFaults()
    try world.advance(milliseconds: 60_000)
    for checkout in world.checkouts where checkout.hasTraces {
      if checkout.isThere && !checkout.isDamaged && !checkout.hasLostObjects {
        try People(world).undo(checkout)
      }
    }
    for applier in world.appliers { applier.look() }
    try waitForEquality(patience: Self.patienceMilliseconds)
    for (checkout, applier, branch) in try behind() { try requireReason(checkout, applier, branch) }
    try requireUnsent()
    for branch in [world.main, world.next] { try operators.settle(branch) }
    try waitForEquality(patience: Self.pushMilliseconds)
    for (checkout, applier, branch) in try behind()
    where try isRefusedForGood(checkout, applier, branch) {
      // As the reason says; then a new one is made.
      try checkout.remove()
      checkout.lastSight = nil
      world.note("\(checkout.name): people remove it for what it refuses")
      applier.look()
      try waitForEquality()
    }
    if let (checkout, applier, branch) = try behind().first {
      let word = try recipient(applier, branch).map { describe(checkout, $0) } ?? "no row"
      throw Violation(
        "all are equal once faults stop",
        "the tip of \(branch) is \(try world.source.tip(of: branch)?.abbreviated ?? "nothing"); \(word)"
      )
    }
    try Calm(world).run()
    try world.sabotage?.strikeAtEnd(in: world)
    try requireNothingLeft()
    for checkout in world.checkouts { try requireSound(checkout) }
  }

  /// What no hook was run for, the signer's status says.
  private func requireUnsent() throws {
    if world.chance(50) { try operators.commitWithoutHook(world.pick([world.main, world.next])) }
    try world.advance(milliseconds: 60_000, turnCountMax: 1)
    try Calm(world).judgeUnsent()
  }

  private func waitForEquality(patience: UInt64? = nil) throws {
    let begin = world.clock.milliseconds
    let end = begin + Self.millisecondsMax
    var wait = Self.waitMilliseconds.lowerBound
    while world.clock.milliseconds < end {
      // Not more than a minute apart: heartbeats must be answered while they live.
      try world.advance(
        milliseconds: min(wait, end - world.clock.milliseconds),
        turnCountMax: max(4, Int(wait / 60_000)))
      let behind = try behind()
      if behind.isEmpty { return }
      // The rest of the two hours would bring the same heartbeats, and the same refusal.
      if let patience, world.clock.milliseconds >= begin + patience,
        try behind.allSatisfy({ try isRefusedForGood($0.0, $0.1, $0.2) })
      {
        return
      }
      wait = min(2 * wait, Self.waitMilliseconds.upperBound)
    }
  }

  /// Whose files are not those of what the signer last said.
  private func behind() throws -> [(Checkout, ApplierHost, BranchName)] {
    var result: [(Checkout, ApplierHost, BranchName)] = []
    for branch in [world.main, world.next] {
      let head = try world.signer.outbox.head(of: world.configured(branch).stream(branch))
      let files = head.flatMap { world.source.files[$0.revision] }
      for applier in world.recipients(of: branch) {
        guard let checkout = applier.checkouts.first(where: { $0.branch == branch }) else {
          continue
        }
        if checkout.head.flatMap({ world.source.files[$0] }) != files {
          result.append((checkout, applier, branch))
        }
      }
    }
    return result
  }

  private func requireReason(
    _ checkout: Checkout, _ applier: ApplierHost, _ branch: BranchName
  ) throws {
    guard let recipient = try recipient(applier, branch) else {
      throw Violation("no message is lost", "\(checkout.name): no row")
    }
    if recipient.standing == .refused || recipient.blocked != nil { return }
    if try isRefusedForGood(checkout, applier, branch) { return }
    if Healing.state(of: recipient) == .givenUp { return }
    throw Violation("no message is lost", describe(checkout, recipient))
  }

  private func describe(_ checkout: Checkout, _ recipient: Recipient) -> String {
    "\(checkout.name) is at \(checkout.head?.abbreviated ?? "nothing"), not at "
      + "\(recipient.head.abbreviated): \(recipient.standing?.rawValue ?? "no word"), healing "
      + "\(Healing.state(of: recipient)) after \(recipient.healCount) attempts, last refusal "
      + (recipient.lastRefusal.map { "\($0.name): \($0.detail)" } ?? "none")
  }

  /// It refuses each time, and says in between where it is: that a branch was taken back below it; that it has forgotten
  /// that a signer's commit is no one of people's; or that its index is lost as well as objects.
  private func isRefusedForGood(
    _ checkout: Checkout, _ applier: ApplierHost, _ branch: BranchName
  ) throws -> Bool {
    return switch try recipient(applier, branch)?.lastRefusal?.name {
    case "going-back": checkout.settings.onGoingBack == .refuse
    case "foreign-commit": applier.hasForgotten
    case "checkout-unusable": checkout.hasLostObjects
    default: false
    }
  }

  /// As the signer has it.
  private func recipient(_ applier: ApplierHost, _ branch: BranchName) throws -> Recipient? {
    try world.signer.outbox.recipients().first {
      $0.stream.branch == branch && $0.mailbox == applier.settings.identity.public.mailbox
    }
  }

  /// Nothing waits anywhere that nobody will take.
  private func requireNothingLeft() throws {
    for applier in world.appliers {
      let count = try applier.status().waitingCount
      if count > 0 { throw Violation("nothing is left over", "\(applier.name): \(count) messages") }
    }
    let open = try world.signer.outbox.unstored() + world.signer.outbox.unanswered()
    if let first = open.first {
      throw Violation(
        "nothing is left over",
        "\(open.count) messages without an answer, the first for \(first.recipientName)")
    }
  }

  /// As git sees it.
  private func requireSound(_ checkout: Checkout) throws {
    // Git cannot look for itself where older objects are missing.
    if checkout.hasLostObjects { return }
    // First: where objects are missing, `git status` fails as well.
    let fsck = try checkout.git.attempt(["fsck", "--full", "--strict", "--no-dangling"])
    if fsck.status != 0 { throw Violation("git fsck is clean", "\(checkout.name): \(fsck.output)") }
    let status = try checkout.git.attempt(["status", "--porcelain", "--untracked-files=all"])
    guard status.status == 0, status.output.isEmpty else {
      throw Violation("git status is clean", "\(checkout.name): \(status.output)")
    }
  }
}
