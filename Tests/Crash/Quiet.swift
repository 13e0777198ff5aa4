import Foundation

/// Whether there is nothing left to do anywhere.
struct Quiet {
  private let world: World

  init(_ world: World) { self.world = world }

  /// What is still under way.
  func obstacles() throws -> [String] {
    var obstacles: [String] = []
    let tip = try world.source.tip()
    for applier in world.appliers {
      let name = applier.daemon.name
      let head = try applier.checkout.tip("HEAD")
      if head != tip {
        obstacles.append("\(name) is at \(head ?? "nothing"), not at \(tip ?? "-")")
      }
      try add(applier.state.count("journal"), "\(name): entries in the journal", to: &obstacles)
      try add(applier.state.count("delivery"), "\(name): messages", to: &obstacles)
    }
    try add(world.relayState.count("delivery"), "relay: messages", to: &obstacles)
    try add(world.signerState.count("delivery"), "signer: messages", to: &obstacles)
    try add(
      world.signerState.count("answer", "state IN ('waiting', 'stored')"),
      "signer: messages without an answer", to: &obstacles)
    return obstacles
  }

  private func add(_ count: Int, _ what: String, to obstacles: inout [String]) {
    if count > 0 { obstacles.append("\(what): \(count)") }
  }
}
