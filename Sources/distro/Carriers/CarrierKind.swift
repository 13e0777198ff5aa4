import CarrierProtocol
import Logging
import Sodium

/// One transport, as the program knows it: its key below `carriers:`, how that is read, and how it is examined.
protocol CarrierKind: SendableMetatype {
  associatedtype Plan: CarrierPlan

  static var key: String { get }

  /// Throws where the library that it stands on will not do.
  static func requireLibrary() throws

  /// Reads the value of `key`.
  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> Plan

  /// What `distro doctor` finds. `readers`: whose mailboxes we put something into by way of it.
  static func examine(
    _ plan: Plan, as identity: Identity, readers: [PublicIdentity], _ examination: inout Examination
  )
}

/// The role that uses a carrier: a signer connects, an applier may listen as well.
enum CarrierUser { case signer, applier }

/// All transports, in the order in which an error names them. The only place that names them all.
enum CarrierKinds {
  static let all: [any CarrierKind.Type] = [
    ZeroMQKind.self, RabbitMQKind.self, ActiveMQKind.self, NATSKind.self, IronMQKind.self,
    DirectoryKind.self,
  ]

  /// By which a relay is reached.
  private static let relayKind = ZeroMQKind.self

  static func relayEndpoint(at node: ConfigurationNode) throws -> String {
    try relayKind.read(listeningOn: node).place
  }

  static func relayListener(
    for doors: [CarrierDoor], as identity: Identity, log: Logger
  ) throws -> any CarrierListener {
    try relayKind.listener(for: doors, as: identity, log: log)
  }

  static func requireLibraries() throws { for kind in all { try kind.requireLibrary() } }

  /// One entry of `carriers:`, a mapping with one key.
  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> any CarrierPlan {
    let mapping = try node.mapping(keys: all.map { $0.key })
    let named = all.compactMap { kind in mapping[optional: kind.key].map { (kind, $0) } }
    guard let (kind, value) = named.first, named.count == 1 else {
      throw node.invalid("one of \(all.map { "'\($0.key):'" }.joined(separator: ", ")) expected")
    }
    return try kind.read(value, for: user, in: file)
  }

  static func examine(
    _ plan: any CarrierPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    for kind in all where kind.examineOwn(plan, as: identity, readers: readers, &examination) {
      return
    }
    preconditionFailure("every plan is of a kind that is listed")
  }
}

extension CarrierKind {
  /// `false`: the plan is another kind's.
  fileprivate static func examineOwn(
    _ plan: any CarrierPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) -> Bool {
    guard let own = plan as? Plan else { return false }
    examine(own, as: identity, readers: readers, &examination)
    return true
  }
}
