import CarrierProtocol
import Host
import NATS
import NATSCarrier
import Sodium

/// `nats:` with `urls:`, then `credentials-file:`, or `user:` and `password-file:`, and perhaps `ca-file:` and `replicas:`.
enum NATSKind: CarrierKind {
  static let key = "nats"

  /// It is loaded when there is such a carrier.
  static func requireLibrary() {}

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> NATSPlan {
    let keys = try node.mapping(
      keys: ["urls", "credentials-file", "user", "password-file", "ca-file", "replicas"])
    let urls = try keys["urls"]
    let addresses = try urls.list().map { url in
      let text = try url.string()
      do throws(NATSAddress.Fault) { return try NATSAddress(text) } catch {
        throw url.invalid(error.rawValue)
      }
    }
    guard !addresses.isEmpty else { throw urls.invalid("at least one server expected") }
    let login = try login(node, keys, in: file)
    let authorities = try keys[optional: "ca-file"].map { try file.path($0) }
    let replicas = try replicas(keys[optional: "replicas"])
    do throws(NATSPlan.Fault) {
      return try NATSPlan(addresses, login, authorities: authorities, replicas: replicas)
    } catch {
      throw node.invalid(error.rawValue)
    }
  }

  private static func login(
    _ node: ConfigurationNode, _ keys: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> NATSPlan.Login {
    let (name, password) = (keys[optional: "user"], keys[optional: "password-file"])
    guard let credentials = keys[optional: "credentials-file"] else {
      guard name != nil || password != nil else { return .none }
      let (user, path) = (try keys["user"].string(), try file.path(try keys["password-file"]))
      return .user(user, passwordFile: SecretFile(path))
    }
    guard name == nil, password == nil else {
      throw node.invalid("either 'credentials-file:', or 'user:' and 'password-file:'")
    }
    return .credentials(SecretFile(try file.path(credentials)))
  }

  private static func replicas(_ node: ConfigurationNode?) throws -> Int {
    guard let node else { return 1 }
    let count = try node.count()
    guard NATSPlan.replicas.contains(count) else {
      throw node.invalid("a number from 1 to \(NATSPlan.replicas.upperBound) expected")
    }
    return count
  }

  static func examine(
    _ plan: NATSPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    NATSChecks(plan: plan, identity: identity, readers: readers).run(&examination)
  }
}
