import CarrierProtocol
import IronMQ
import IronMQCarrier
import Sodium

/// `ironmq:` with `host:`, `project:`, `token-file:` and perhaps `port:`, `ca-file:` and `request-bytes:`.
enum IronMQKind: CarrierKind {
  static let key = "ironmq"

  /// Needs no library.
  static func requireLibrary() {}

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> IronMQPlan {
    let keys = try node.mapping(
      keys: ["host", "port", "project", "token-file", "ca-file", "request-bytes"])
    let (host, project) = (try keys["host"], try keys["project"])
    let (hostText, projectText) = (try host.string(), try project.string())
    let port = try keys[optional: "port"]?.count()
    let address: IronMQAddress
    do throws(IronMQAddress.Fault) {
      address = try IronMQAddress(host: hostText, port: port, project: projectText)
    } catch {
      switch error {
      case .project: throw project.invalid(error.rawValue)
      case .port: throw (keys[optional: "port"] ?? host).invalid(error.rawValue)
      case .host, .plain: throw host.invalid(error.rawValue)
      }
    }
    return IronMQPlan(
      address, tokenFile: try file.path(try keys["token-file"]),
      authorities: try keys[optional: "ca-file"].map { try file.path($0) },
      requestSize: try requestSize(keys[optional: "request-bytes"]))
  }

  private static func requestSize(_ node: ConfigurationNode?) throws -> IronMQPlan.RequestSize {
    guard let node else { return .small }
    guard let size = IronMQPlan.RequestSize(rawValue: try node.count()) else {
      throw node.invalid("65536 or 262144 expected: what the project's plan takes as one request")
    }
    return size
  }

  static func examine(
    _ plan: IronMQPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    IronMQChecks(plan: plan, identity: identity, readers: readers).run(&examination)
  }
}
