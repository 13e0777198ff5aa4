import Foundation
import GitModel

/// A copy of a state directory, as a backup of its files makes it between two steps.
struct StateBackup {
  private let path: String

  init(of directory: String, at path: String) throws {
    self.path = path
    if access(path, F_OK) == 0 { try FileManager.default.removeItem(atPath: path) }
    try FileManager.default.copyItem(atPath: directory, toPath: path)
  }

  func restore(to directory: String) throws {
    try FileManager.default.removeItem(atPath: directory)
    try FileManager.default.copyItem(atPath: path, toPath: directory)
  }
}

/// Disks that lose what they hold: state directories that are gone or come back from a backup, and damaged checkouts.
struct Losses {
  let world: World
  private let operators: Operator

  init(_ world: World, _ operators: Operator) { (self.world, self.operators) = (world, operators) }

  func act() throws {
    switch Int.random(in: 0..<20, using: &world.random) {
    case 0..<4: try loseApplier()
    case 4..<8: try backUpApplier()
    case 8..<11: try restoreApplier()
    case 11..<13: try loseSigner()
    default: try damage()
    }
  }

  // MARK: - State

  /// A step that is not at its end is in the state alone.
  private func idleApplier() throws -> ApplierHost? {
    let applier = world.pick(world.appliers)
    let isIdle = try applier.checkouts.allSatisfy {
      try !applier.hasJournal(of: $0) && !$0.hasLostObjects
    }
    return isIdle && applier.writeLimit == nil ? applier : nil
  }

  private func loseApplier() throws {
    guard let applier = try idleApplier() else { return }
    try applier.loseState()
    forgetNumbers(of: applier)
    world.note("\(applier.name): its state is lost")
  }

  private func backUpApplier() throws {
    guard let applier = try idleApplier() else { return }
    try applier.backUp()
    world.note("\(applier.name): its state is backed up")
  }

  private func restoreApplier() throws {
    guard let applier = try idleApplier(), try applier.restore() else { return }
    forgetNumbers(of: applier)
    world.note("\(applier.name): its state comes back from a backup")
  }

  /// What comes again now may be applied where it starts at the checkout's revision, as docs/how-to/recover.md says.
  private func forgetNumbers(of applier: ApplierHost) {
    for checkout in applier.checkouts where checkout.reached != nil { checkout.reached = 0 }
  }

  /// As docs/how-to/recover.md says: with a clock that is right, and with a run of `sign-and-send` for each branch.
  private func loseSigner() throws {
    guard world.signer.writeLimit == nil else { return }
    world.signer.clock.set(aheadByMilliseconds: 0)
    try world.signer.loseState()
    world.note("the signer's state is lost")
    for branch in [world.main, world.next] { try operators.sendAnew(branch) }
  }

  // MARK: - Checkouts

  private func damage() throws {
    let applier = world.pick(world.appliers)
    let checkout = world.pick(applier.checkouts)
    // One loss can be mended, not both: what lies there could be anybody's.
    guard !applier.hasForgotten, checkout.isThere, !checkout.isAway, !checkout.isUnderWay,
      !checkout.isDamaged, checkout.edits.isEmpty,
      let head = checkout.head, !checkout.own.contains(head)
    else { return }
    if world.chance(50) {
      try Data(world.random.bytes(100)).write(
        to: URL(fileURLWithPath: checkout.path + "/.git/index"))
      world.note("\(checkout.name): its index is damaged")
    } else {
      guard let name = try checkout.loseObjects(using: &world.random) else { return }
      world.note("\(checkout.name): \(name) is lost")
    }
    checkout.isDamaged = true
    checkout.lastSight = nil
  }
}
