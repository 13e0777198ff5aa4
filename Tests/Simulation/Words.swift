import GitModel
import Signer

/// What `sign-and-send` says, and whether it is so.
final class Words {
  private let world: World
  private var arrivals: [Arrivals.Arrival] = []
  private(set) var failure: String?

  init(_ world: World) { self.world = world }

  func add(_ report: IntakeReport) {
    switch report {
    case .progress: break
    case .notice(let text): world.note("sign-and-send: \(text)")
    case .failure(let message, _):
      world.note("sign-and-send: \(message)")
      failure = message
    case .arrival(let arrival): arrivals.append(arrival)
    }
  }

  func judge(_ result: IntakeResult) throws {
    for arrival in arrivals {
      let message = arrival.message.map { " by \($0.id.abbreviated)" } ?? ""
      world.note("\(arrival.name), \(arrival.branch): \(arrival.state.rawValue)\(message)")
      let isWrong = world.sabotage == .word && arrival.state == .underway
      if isWrong || arrival.state == .upToDate { try judgeUpToDate(arrival) }
    }
  }

  /// It has had the files of the target once, or of what the branch was brought to since.
  private func judgeUpToDate(_ arrival: Arrivals.Arrival) throws {
    let stream = world.configured(arrival.branch).stream(arrival.branch)
    let head = try world.signer.outbox.head(of: stream)?.revision
    let wanted = [arrival.target, head].compactMap { $0.flatMap { world.source.files[$0] } }
    let checkout = world.checkouts.first {
      $0.branch == arrival.branch && $0.name.hasPrefix(arrival.name + "/")
    }
    guard let checkout else { throw Violation("the last word is true", "\(arrival.name)?") }
    let has = checkout.visited.contains { visited in
      world.source.files[visited].map { wanted.contains($0) } ?? false
    }
    guard !has else { return }
    throw Violation(
      "the last word is true",
      "\(checkout.name) is up to date with \(arrival.target.abbreviated), which it never had")
  }
}
