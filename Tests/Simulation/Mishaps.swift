import CarrierProtocol

/// What goes wrong by itself: machines, lines, clocks, disks, and a relay that is not what it should be.
struct Mishaps {
  private static let steps: [Int64] = [
    0, 0, 0, 5_000, -5_000, 90_000, -90_000, 400_000, -400_000, 3_600_000, -3_600_000,
    86_400_000, -86_400_000, 31_536_000_000, -31_536_000_000,
  ]

  let world: World

  init(_ world: World) { self.world = world }

  func act() throws {
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<22: try restart()
    case 22..<32: stopOrStart()
    case 32..<56: disturbLine()
    case 56..<78: try misbehave()
    case 78..<90: stepClock()
    default: fillDisk()
    }
  }

  private func restart() throws {
    let isOrderly = world.chance(50)
    switch Int.random(in: 0..<7, using: &world.random) {
    case 0:
      world.note("the \(world.middle.name) starts anew")
      try world.middle.restart(isOrderly: isOrderly)
    case 1:
      world.note("the signer starts anew")
      try world.signer.restart(isOrderly: isOrderly)
    default:
      let applier = world.pick(world.appliers)
      let isBoot = world.chance(30)
      if isBoot { applier.clock.reboot() }
      world.note("\(applier.name) \(isBoot ? "boots" : "starts") anew")
      try applier.restart(isOrderly: isOrderly)
    }
  }

  private func stopOrStart() {
    switch Int.random(in: 0..<7, using: &world.random) {
    case 0: world.middle.isRunning.toggle()
    case 1: world.signer.isRunning.toggle()
    default: world.pick(world.appliers).isRunning.toggle()
    }
    let stopped =
      (world.middle.isRunning ? [] : [world.middle.name])
      + (world.signer.isRunning ? [] : ["signer"])
      + world.appliers.filter { !$0.isRunning }.map(\.name)
    world.note("not running: \(stopped)")
  }

  private func disturbLine() {
    let line = world.pick(world.lines)
    if world.chance(30) {
      line.isUp.toggle()
      world.note("the line of \(line.name) is \(line.isUp ? "up" : "down")")
    } else {
      world.note("the line of \(line.name) \(line.disturb(using: &world.random))")
    }
  }

  private func misbehave() throws {
    if let done = try world.middle.misbehave(using: &world.random) {
      world.note("\(world.middle.name): \(done)")
    }
  }

  private func stepClock() {
    let step = world.pick(Self.steps)
    let hosts =
      [(world.middle.name, world.middle.clock), ("signer", world.signer.clock)]
      + world.appliers.map { ($0.name, $0.clock) }
    let (name, clock) = world.pick(hosts)
    clock.set(aheadByMilliseconds: step)
    world.note("the clock of \(name) is ahead by \(step) ms")
  }

  private func fillDisk() {
    let limit = world.pick([nil, nil, 0, 2_000, 40_000, 200_000] as [UInt64?])
    switch Int.random(in: 0..<6, using: &world.random) {
    case 0:
      world.signer.writeLimit = limit
      world.note("the signer's files end at \(limit.map { "\($0)" } ?? "no limit")")
    case 1:
      world.middle.writeLimit = limit
      world.note("the \(world.middle.name)'s files end at \(limit.map { "\($0)" } ?? "no limit")")
    default:
      let applier = world.pick(world.appliers)
      applier.writeLimit = limit
      world.note("\(applier.name)'s files end at \(limit.map { "\($0)" } ?? "no limit")")
    }
  }
}
