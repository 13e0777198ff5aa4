import CarrierProtocol
import MessageFormat

/// `carriers:` and `failover-seconds:`, which signers and appliers have alike.
struct CarriersConfiguration {
  static let keys = ["carriers", "failover-seconds"]
  private static let secondsDefault = 60
  private static let secondsRange = 1...86_400

  let plans: [any CarrierPlan]
  /// How long a message waits for one carrier before the next one takes it.
  let failover: Duration

  /// At least one, each at a place of its own.
  init(
    _ root: ConfigurationMapping, for user: CarrierUser, in file: ConfigurationFile
  ) throws {
    let node = try root["carriers"]
    plans = try node.list().map { try CarrierKinds.read($0, for: user, in: file) }
    guard !plans.isEmpty else { throw node.invalid("at least one carrier expected") }
    let places = Set(plans.map { [$0.place, $0.server?.mailbox.hex ?? ""] })
    guard places.count == plans.count else {
      throw node.invalid("two carriers have the same address")
    }
    let seconds = try root[optional: "failover-seconds"]?.count() ?? Self.secondsDefault
    guard Self.secondsRange.contains(seconds) else {
      throw try root["failover-seconds"].invalid(
        "\(Self.secondsRange.lowerBound) to \(Self.secondsRange.upperBound) seconds expected")
    }
    failover = .seconds(seconds)
  }
}
