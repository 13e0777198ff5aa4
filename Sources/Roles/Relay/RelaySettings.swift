package import CarrierProtocol
package import Sodium

/// What `relay:` in a configuration says, checked and with the relay's key loaded.
package struct RelaySettings: Sendable {
  /// To which appliers a signer may send; they may answer it. By the names in the `.pub` files.
  package struct Route: Hashable, Sendable {
    package let signer: String
    package let appliers: [String]

    package init(signer: String, appliers: [String]) {
      self.signer = signer
      self.appliers = appliers
    }
  }

  package let identity: Identity
  package let state: String
  package let signersEndpoint: String
  package let appliersEndpoint: String
  /// Directories of `*.pub` and `*.revoked`.
  package let trustedSigners: String
  package let trustedAppliers: String
  /// `nil`: every signer to every applier.
  package let routes: [Route]?
  package let quotas: DepositQuotas

  package init(
    identity: Identity, state: String, signersEndpoint: String, appliersEndpoint: String,
    trustedSigners: String, trustedAppliers: String, routes: [Route]?, quotas: DepositQuotas
  ) {
    self.identity = identity
    self.state = state
    self.signersEndpoint = signersEndpoint
    self.appliersEndpoint = appliersEndpoint
    self.trustedSigners = trustedSigners
    self.trustedAppliers = trustedAppliers
    self.routes = routes
    self.quotas = quotas
  }

  /// Whether what can be changed while a relay runs is all in which the two differ.
  func differsOnlyInRules(from other: RelaySettings) -> Bool {
    identity.public == other.identity.public && state == other.state
      && signersEndpoint == other.signersEndpoint && appliersEndpoint == other.appliersEndpoint
  }
}
