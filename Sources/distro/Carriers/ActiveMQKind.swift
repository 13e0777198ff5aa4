import ActiveMQCarrier
import CarrierProtocol
import STOMP
import Sodium

/// `activemq:` with `url:`; `user:` and `password-file:` unless the broker asks nobody; `ca-file:` unless the machine's
/// authorities do.
enum ActiveMQKind: CarrierKind {
  static let key = "activemq"

  private static let userByteCountMax = 255

  /// It is part of the program.
  static func requireLibrary() {}

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> ActiveMQPlan {
    let keys = try node.mapping(keys: ["url", "user", "password-file", "ca-file"])
    let url = try keys["url"]
    let user = try login(keys[optional: "user"], keys[optional: "password-file"], node, file)
    let authorities = try keys[optional: "ca-file"].map { try file.path($0) }
    let text = try url.string()
    do throws(STOMPAddress.Fault) {
      return try ActiveMQPlan(text, as: user, authorities: authorities)
    } catch {
      throw url.invalid(error.rawValue)
    }
  }

  /// Half of a login is a mistake: it must not become none.
  private static func login(
    _ user: ConfigurationNode?, _ password: ConfigurationNode?, _ node: ConfigurationNode,
    _ file: ConfigurationFile
  ) throws -> ActiveMQPlan.User? {
    guard user != nil || password != nil else { return nil }
    guard let user, let password else {
      throw node.invalid("'user:' and 'password-file:' belong together")
    }
    let name = try user.string()
    guard name.utf8.count <= userByteCountMax, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { throw user.invalid("must be a name of 255 bytes at most, without control characters") }
    return ActiveMQPlan.User(name, passwordFile: try file.path(password))
  }

  static func examine(
    _ plan: ActiveMQPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    ActiveMQChecks(plan: plan, identity: identity, readers: readers).run(&examination)
  }
}
