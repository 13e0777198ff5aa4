import CarrierProtocol
import RabbitMQ
import RabbitMQCarrier
import Sodium

/// `rabbitmq:` with `url:`, `password-file:` and, unless the machine's authorities do, `ca-file:`.
enum RabbitMQKind: CarrierKind {
  static let key = "rabbitmq"

  /// It is part of the program.
  static func requireLibrary() {}

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> RabbitMQPlan {
    let keys = try node.mapping(keys: ["url", "password-file", "ca-file"])
    let (url, password) = (try keys["url"], try file.path(try keys["password-file"]))
    let authorities = try keys[optional: "ca-file"].map { try file.path($0) }
    let text = try url.string()
    do throws(RabbitMQAddress.Fault) {
      return try RabbitMQPlan(text, passwordFile: password, authorities: authorities)
    } catch {
      throw url.invalid(error.rawValue)
    }
  }

  static func examine(
    _ plan: RabbitMQPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    RabbitMQChecks(plan: plan, identity: identity, readers: readers).run(&examination)
  }
}
