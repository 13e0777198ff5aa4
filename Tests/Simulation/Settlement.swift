import GitModel
import MessageFormat
import Signer

/// The end of a run: faults stop, people undo what they did, and within two hours every checkout is what its signer last
/// said, by itself; or both sides say why not, and a push settles it.
struct Settlement {
  private static let millisecondsMax: UInt64 = 2 * 3_600 * 1_000

  let world: World
  private let operators: Operator

  init(_ world: World, _ operators: Operator) { (self.world, self.operators) = (world, operators) }

  func run() throws {
    try world.endFaults()
    try world.advance(milliseconds: 60_000)
    for checkout in world.checkouts {
      if checkout.isThere { try People(world).undo(checkout) }
    }
    for applier in world.appliers { applier.look() }
    try waitForEquality()
    for (checkout, applier, branch) in try behind() { try requireReason(checkout, applier, branch) }
    for branch in [world.main, world.next] { try operators.push(branch) }
    try waitForEquality()
    if let (checkout, _, branch) = try behind().first {
      throw Violation(
        "all are equal once faults stop",
        "\(checkout.name) is at \(checkout.head?.abbreviated ?? "nothing"), the tip of \(branch) "
          + "is \(try world.source.tip(of: branch)?.abbreviated ?? "nothing")")
    }
    try Calm(world).run()
    try requireNothingLeft()
    for checkout in world.checkouts { try requireSound(checkout) }
  }

  private func waitForEquality() throws {
    let end = world.clock.milliseconds + Self.millisecondsMax
    while world.clock.milliseconds < end {
      try world.advance(milliseconds: 60_000, turnCountMax: 4)
      if try behind().isEmpty { return }
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
    let recipient = try world.signer.outbox.recipients().first {
      $0.stream.branch == branch && $0.mailbox == applier.settings.identity.public.mailbox
    }
    guard let recipient else { throw Violation("no message is lost", "\(checkout.name): no row") }
    if recipient.standing == .refused || recipient.blocked != nil { return }
    if Healing.state(of: recipient) == .givenUp { return }
    throw Violation(
      "no message is lost",
      "\(checkout.name) is at \(checkout.head?.abbreviated ?? "nothing"), not at "
        + "\(recipient.head.abbreviated): \(recipient.standing?.rawValue ?? "no word"), healing "
        + Healing.state(of: recipient).rawValue)
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
    let status = try checkout.git.run("status", "--porcelain", "--untracked-files=all")
    if !status.isEmpty { throw Violation("git status is clean", "\(checkout.name): \(status)") }
    let fsck = try checkout.git.attempt(["fsck", "--full", "--strict", "--no-dangling"])
    if fsck.status != 0 { throw Violation("git fsck is clean", "\(checkout.name): \(fsck.output)") }
  }
}
