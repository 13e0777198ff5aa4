import Applier
import CarrierProtocol
import GitModel
import MessageFormat
import Signer

/// All faults end, and some heartbeats come and go: then what both sides say of each other is what the world knows.
struct Calm {
  /// Until every line has been made anew, and everyone was asked and has answered.
  static let heartbeatCount: UInt64 = 4
  private static let backlogTurnCountMax = 60
  private static let backlogTurnMilliseconds: UInt64 = 15_000

  let world: World

  init(_ world: World) { self.world = world }

  func run() throws {
    world.note("all faults end")
    try world.endFaults()
    try world.advance(
      milliseconds: max(180_000, Self.heartbeatCount * 1_000 * world.heartbeatSeconds),
      turnCountMax: 9)
    try waitForBacklogs()
    try judge()
  }

  /// An inbox with little room takes a few messages a turn. What is blocked or held may wait for longer: bounded.
  private func waitForBacklogs() throws {
    for _ in 0..<Self.backlogTurnCountMax {
      let isWaiting = try world.appliers.contains {
        try world.middle.waitingCount(for: $0.settings.identity.public.mailbox) > 0
      }
      guard isWaiting else { return }
      try world.advance(milliseconds: Self.backlogTurnMilliseconds, turnCountMax: 1)
    }
  }

  func judge() throws {
    for branch in [world.main, world.next] {
      guard let head = try world.signer.outbox.head(of: world.configured(branch).stream(branch))
      else { continue }
      for applier in world.recipients(of: branch) {
        guard let checkout = applier.checkouts.first(where: { $0.branch == branch }),
          !checkout.isAway
        else { continue }
        try judgeSigner(checkout, applier, branch)
        try judgeApplier(checkout, applier, head: head.revision)
      }
    }
    try judgeUnsent()
  }

  private func judgeSigner(
    _ checkout: Checkout, _ applier: ApplierHost, _ branch: BranchName
  ) throws {
    let fleet = try Fleet(world.signer.outbox, repositories: world.signer.settings.repositories)
    let row = fleet.rows.first {
      $0.recipient.stream.branch == branch
        && $0.recipient.mailbox == applier.settings.identity.public.mailbox
    }
    guard let row else {
      throw Violation("status of the signer is true", "\(checkout.name) is in no row")
    }
    // A machine that has lost its own commit says that nothing is there.
    let isLost = checkout.hasLostObjects && row.recipient.revision == nil
    guard isLost || row.recipient.revision == checkout.head else {
      throw Violation(
        "status of the signer is true",
        "\(checkout.name) is at \(name(checkout.head)), the signer says "
          + "\(name(row.recipient.revision)), \(row.recipient.standing?.rawValue ?? "no word")")
    }
    if row.recipient.revision == row.recipient.head,
      row.healing != .none || row.distance.text != "-"
    {
      throw Violation(
        "status of the signer is true",
        "\(checkout.name) has all, the signer says "
          + "\(row.healing.rawValue), behind \(row.distance.text)")
    }
  }

  private func judgeApplier(
    _ checkout: Checkout, _ applier: ApplierHost, head: ObjectID
  ) throws {
    let status = try applier.status().checkouts.first { $0.settings.path == checkout.path }
    guard let status, status.revision == checkout.head else {
      throw Violation("status of the applier is true", "\(checkout.name): another revision")
    }
    let isNewest = checkout.head == head
    // Another commit with the same files may be called either.
    if !isNewest, checkout.head.flatMap({ world.source.files[$0] }) == world.source.files[head] {
      return
    }
    if (status.freshness == .fresh) != isNewest {
      throw Violation(
        "status of the applier is true",
        "\(checkout.name) is at \(name(checkout.head)), the newest is \(name(head)), and it says "
          + "\(status.freshness.rawValue): \(status.staleness.map { "\($0)" } ?? "")")
    }
  }

  /// At any time.
  func judgeUnsent() throws {
    let fleet = try Fleet(world.signer.outbox, repositories: world.signer.settings.repositories)
    let said = world.sabotage == .unsent ? [] : Set(fleet.unsent.map(\.stream.branch))
    for branch in [world.main, world.next] {
      let sent = try world.signer.outbox.head(of: world.configured(branch).stream(branch))
      let tip = try world.source.tip(of: branch)
      let isSent =
        sent.flatMap { world.source.files[$0.revision] }
        == tip.flatMap {
          world.source.files[$0]
        }
      if said.contains(branch) == isSent {
        throw Violation("status of the signer is true", "\(branch): unsent is wrong")
      }
    }
  }

  private func name(_ revision: ObjectID?) -> String { revision?.abbreviated ?? "nothing" }
}

extension World {
  func endFaults() throws {
    for line in lines { line.calm() }
    middle.calm()
    for clock in [middle.clock, signer.clock] + appliers.map(\.clock)
    where clock.aheadMilliseconds != 0 {
      clock.set(aheadByMilliseconds: 0)
    }
    (middle.isRunning, middle.writeLimit) = (true, nil)
    (signer.isRunning, signer.writeLimit) = (true, nil)
    for applier in appliers {
      (applier.isRunning, applier.writeLimit) = (true, nil)
      applier.look()
    }
  }
}
