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
      world.note("the relay starts anew")
      try world.relay.restart(isOrderly: isOrderly)
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
    case 0: world.relay.isRunning.toggle()
    case 1: world.signer.isRunning.toggle()
    default: world.pick(world.appliers).isRunning.toggle()
    }
    let stopped =
      (world.relay.isRunning ? [] : ["relay"]) + (world.signer.isRunning ? [] : ["signer"])
      + world.appliers.filter { !$0.isRunning }.map(\.name)
    world.note("not running: \(stopped)")
  }

  private func disturbLine() {
    let line = world.pick(world.lines)
    switch Int.random(in: 0..<10, using: &world.random) {
    case 0..<3:
      line.disconnect()
      world.note("the line of \(line.name) is cut")
    case 3..<6:
      line.isUp.toggle()
      world.note("the line of \(line.name) is \(line.isUp ? "up" : "down")")
    case 6..<9:
      line.delayMilliseconds = world.pick([0, 0, 200, 5_000, 40_000])
      world.note("the line of \(line.name) takes \(line.delayMilliseconds) ms")
    default:
      line.repeatsFrames.toggle()
      world.note("the line of \(line.name) repeats: \(line.repeatsFrames)")
    }
  }

  private func misbehave() throws {
    var done: String?
    switch Int.random(in: 0..<20, using: &world.random) {
    case 0..<5: try world.relay.copyWaiting()
    case 5..<9: done = try world.relay.bringAgain(using: &world.random)
    case 9..<12: done = try world.relay.lose(using: &world.random)
    case 12..<15: done = try world.relay.withhold(using: &world.random)
    case 15..<18: done = try world.relay.release()
    case 18:
      let limit = world.pick([QuotaLimit.none, tight])
      world.relay.replace(quotas: DepositQuotas(depositor: .none, mailbox: limit))
      done = "quotas: \(limit.messageCount == .max ? "none" : "tight")"
    default:
      try world.relay.loseDisk()
      done = "its disk is lost"
    }
    if let done { world.note("relay: \(done)") }
  }

  private var tight: QuotaLimit {
    QuotaLimit(byteCount: 100_000, messageCount: 3, ageMilliseconds: .max)
  }

  private func stepClock() {
    let step = world.pick(Self.steps)
    let hosts =
      [("relay", world.relay.clock), ("signer", world.signer.clock)]
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
    default:
      let applier = world.pick(world.appliers)
      applier.writeLimit = limit
      world.note("\(applier.name)'s files end at \(limit.map { "\($0)" } ?? "no limit")")
    }
  }
}
