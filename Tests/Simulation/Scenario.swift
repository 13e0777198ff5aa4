import GitModel
import MessageFormat
import TestSupport

/// The days of a fleet as a seed has them: what happens, to whom, and when.
struct Scenario {
  /// Of appliers, whose status is judged after a pause.
  private static let judgedCount = 2

  let world: World
  private let operators: Operator
  private let people: People
  private let mishaps: Mishaps
  private let losses: Losses

  init(_ world: World) {
    self.world = world
    operators = Operator(world)
    people = People(world)
    mishaps = Mishaps(world)
    losses = Losses(world, operators)
  }

  func run(eventCount: Int) throws {
    for branch in [world.main, world.next] { try operators.push(branch) }
    try world.advance(milliseconds: 30_000)
    for number in 1...max(1, eventCount) {
      try event()
      // Some come together.
      if world.chance(50) && number < eventCount { continue }
      let (milliseconds, turnCountMax) = pause()
      try world.advance(milliseconds: milliseconds, turnCountMax: turnCountMax)
      for _ in 0..<Self.judgedCount {
        try FreshnessJudge(world: world).judge(world.pick(world.appliers))
      }
    }
    try Settlement(world, operators).run()
  }

  /// How long, and at how many moments of it something may be done.
  private func pause() -> (milliseconds: UInt64, turnCountMax: Int) {
    switch UInt64.random(in: 0..<100, using: &world.random) {
    case 0..<60: (.random(in: 100..<30_000, using: &world.random), 1)
    case 60..<85:
      (.random(in: 30_000..<1_000 * world.heartbeatSeconds, using: &world.random), 3)
    default: (.random(in: 1_000..<6_000 * world.heartbeatSeconds, using: &world.random), 4)
    }
  }

  private func event() throws {
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<30: try operators.act()
    case 30..<52: try people.act()
    case 52..<90: try mishaps.act()
    case 90..<98: try losses.act()
    default: try Calm(world).run()
    }
  }
}

extension World {
  func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  func pick<Element>(_ elements: some Collection<Element>) -> Element {
    guard let element = elements.randomElement(using: &random) else {
      preconditionFailure("there is something to pick from")
    }
    return element
  }
}
