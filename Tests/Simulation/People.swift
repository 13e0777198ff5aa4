import Git
import GitModel

/// Who works in the checkouts by hand, with an editor and with git.
struct People {
  private static let paths = ["a", "b", "d/e", "d/f", "k", "d/l"]

  let world: World

  init(_ world: World) { self.world = world }

  func act() throws {
    let applier = world.pick(world.appliers)
    let checkout = world.pick(applier.checkouts)
    guard checkout.isThere, !checkout.isDamaged, !checkout.hasLostObjects else { return }
    checkout.lastSight = nil
    do {
      try act(in: checkout)
    } catch let failure as GitProgram.Failure {
      // Git may find a lock of a step that was cut short; people try again another time.
      guard checkout.isUnderWay || applier.writeLimit != nil else {
        throw Violation("git works in a checkout", "\(checkout.name): \(failure)")
      }
      world.note("\(checkout.name): \(failure)")
    }
    applier.look()
  }

  private func act(in checkout: Checkout) throws {
    if checkout.isAway {
      try checkout.switchBack()
      return world.note("\(checkout.name): back on its branch")
    }
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<45: try edit(checkout)
    case 45..<60: try commit(checkout)
    case 60..<72: try reset(checkout)
    case 72..<86: try undo(checkout)
    case 86..<93: try remove(checkout)
    default: try switchAway(checkout)
    }
  }

  private func edit(_ checkout: Checkout) throws {
    let path = world.pick(Self.paths)
    let isDeletion = world.chance(15)
    let number = UInt16.random(in: 0...UInt16.max, using: &world.random)
    let there = try checkout.look().files ?? [:]
    if isDeletion && there[path] == nil { return }
    let tracked = checkout.head.flatMap { world.source.files[$0] }
    if isDeletion, let tracked, tracked[path] == nil {
      checkout.removeUntracked(path)
    } else {
      try checkout.edit(path, isDeletion ? nil : Entry("by hand \(number)\n"))
    }
    world.note("\(checkout.name): somebody \(isDeletion ? "deletes" : "edits") \(path)")
  }

  private func commit(_ checkout: Checkout) throws {
    // What a step has left half done is nobody's work.
    guard let head = checkout.head, !checkout.isUnderWay, let files = world.source.files[head]
    else {
      return
    }
    let new = checkout.expected(over: files)
    if let made = try checkout.commit() {
      world.source.note(made, new)
      world.note("\(checkout.name): somebody commits \(made.abbreviated)")
    }
  }

  private func reset(_ checkout: Checkout) throws {
    let objects = try Repository(opening: checkout.path).objects
    let candidates = checkout.visited.sorted { $0.hex < $1.hex }.filter { objects.contains($0) }
    guard let revision = candidates.randomElement(using: &world.random) else { return }
    try checkout.reset(to: revision)
    checkout.reached = world.source.rank(of: revision, on: checkout.branch, from: 0)
    world.note("\(checkout.name): somebody resets it to \(revision.abbreviated)")
  }

  func undo(_ checkout: Checkout) throws {
    checkout.lastSight = nil
    let signed = checkout.visited.filter { world.source.rank(of: $0, on: checkout.branch) != nil }
    let last = signed.max {
      (world.source.rank(of: $0, on: checkout.branch) ?? 0, $0.hex)
        < (world.source.rank(of: $1, on: checkout.branch) ?? 0, $1.hex)
    }
    let head = checkout.head
    try checkout.undo(lastSigned: last)
    if checkout.head != head {
      checkout.reached = checkout.head.flatMap {
        world.source.rank(of: $0, on: checkout.branch, from: 0)
      }
    }
    world.note("\(checkout.name): people undo what they did")
  }

  private func remove(_ checkout: Checkout) throws {
    try checkout.remove()
    world.note("\(checkout.name): somebody removes it")
  }

  private func switchAway(_ checkout: Checkout) throws {
    guard checkout.head != nil else { return }
    try checkout.switchAway()
    world.note("\(checkout.name): somebody puts it on another branch")
  }
}
