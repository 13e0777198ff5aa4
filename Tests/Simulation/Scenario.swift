import GitModel
import MessageFormat
import TestSupport

/// The days of a fleet as a seed has them: what happens, to whom, and when.
struct Scenario {
  let world: World
  private let operators: Operator
  private let people: People
  private let mishaps: Mishaps

  init(_ world: World) {
    self.world = world
    operators = Operator(world)
    people = People(world)
    mishaps = Mishaps(world)
  }

  func run(eventCount: Int) throws {
    for branch in [world.main, world.next] { try operators.push(branch) }
    try world.advance(milliseconds: 30_000)
    for _ in 0..<eventCount {
      try event()
      try world.advance(milliseconds: pause())
    }
    try Settlement(world, operators).run()
  }

  private func pause() -> UInt64 {
    switch UInt64.random(in: 0..<100, using: &world.random) {
    case 0..<60: .random(in: 100..<30_000, using: &world.random)
    case 60..<85: .random(in: 30_000..<1_000 * world.heartbeatSeconds, using: &world.random)
    default: .random(in: 1_000..<6_000 * world.heartbeatSeconds, using: &world.random)
    }
  }

  private func event() throws {
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<30: try operators.act()
    case 30..<52: try people.act()
    case 52..<96: try mishaps.act()
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
