import CarrierProtocol
import Diagnostics
import Logging
import Sodium
import ZeroMQCarrier

/// `zeromq:` with `connect:` and `server:`, or, for an applier, `listen:`.
enum ZeroMQKind: CarrierKind {
  static let key = "zeromq"

  static func requireLibrary() throws { try ZeroMQLibrary.require() }

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> ZeroMQPlan {
    let keys = try node.mapping(
      keys: ["connect", "server"] + (user == .applier ? ["listen"] : []))
    guard let listen = keys[optional: "listen"] else {
      let connect = try keys["connect"]
      let (place, server) = (try connect.string(), try file.publicIdentity(try keys["server"]))
      return try endpoint(at: connect) { try ZeroMQPlan(connectingTo: place, of: server) }
    }
    guard keys[optional: "connect"] == nil, keys[optional: "server"] == nil else {
      throw node.invalid("either 'connect:' and 'server:', or 'listen:'")
    }
    return try read(listeningOn: listen)
  }

  static func read(listeningOn node: ConfigurationNode) throws -> ZeroMQPlan {
    let place = try node.string()
    return try endpoint(at: node) { try ZeroMQPlan(listeningOn: place) }
  }

  static func listener(
    for doors: [CarrierDoor], as identity: Identity, log: Logger
  ) throws -> any CarrierListener {
    try ZeroMQListener(at: doors, as: identity, log: log)
  }

  /// An address that no socket takes is the configuration's fault, and found before anything begins.
  private static func endpoint<Value>(
    at node: ConfigurationNode, _ read: () throws -> Value
  ) throws -> Value {
    do { return try read() } catch let error as any OperatorError {
      throw node.invalid(error.message)
    }
  }

  static func examine(
    _ plan: ZeroMQPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    switch plan.way {
    case .listen: ListenerChecks(endpoint: plan.place, identity: identity).run(&examination)
    case .connect(let server):
      ZeroMQChecks(endpoint: plan.place, server: server, identity: identity, readers: readers)
        .run(&examination)
    }
  }
}
