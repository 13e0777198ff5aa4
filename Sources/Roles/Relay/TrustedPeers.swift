import CarrierProtocol
import MessageFormat
import Sealing
package import Sodium

/// The identities that a relay lets in, at which of its doors, and the routes between them.
package struct TrustedPeers: Sendable {
  package let signers: [PublicIdentity]
  package let appliers: [PublicIdentity]
  package let signerNames: NameIndex
  package let applierNames: NameIndex
  /// What is wrong with the files, for people.
  package let faults: [TrustedDirectory.Fault]

  package init(signers: TrustedDirectory, appliers: TrustedDirectory) {
    let revoked = signers.revokedMailboxes.union(appliers.revokedMailboxes)
    let all = (signers.identities + appliers.identities)
      .filter { !revoked.contains($0.mailbox) }
    // A connection shows a transport key, and nothing else: it must mean one identity.
    let owners = Dictionary(grouping: all) { $0.transportKey.bytes }
      .mapValues { Set($0.map(\.mailbox)) }
    let shared = Set(owners.filter { $0.value.count > 1 }.flatMap(\.value))
    func usable(_ directory: TrustedDirectory) -> [PublicIdentity] {
      var seen = revoked.union(shared)
      return directory.identities.filter { seen.insert($0.mailbox).inserted }
    }
    self.signers = usable(signers)
    self.appliers = usable(appliers)
    signerNames = NameIndex(self.signers)
    applierNames = NameIndex(self.appliers)
    faults =
      signers.faults + (appliers.path == signers.path ? [] : appliers.faults)
      + shared.map(\.abbreviated).sorted().map {
        .init(file: $0, reason: "several identities have the same transport key; none is let in")
      }
  }

  /// Whom each of a relay's doors lets in.
  var doorLists: [[PublicIdentity]] { [signers, appliers] }

  /// Without routes, every signer may send to every applier; each applier may answer who may send to it.
  func access(by routes: [RelaySettings.Route]?) -> CarrierAccess {
    var depositors: [Mailbox: Set<Mailbox>] = [:]
    // An identity without a route has a mailbox that nothing comes into.
    for identity in signers + appliers { depositors[identity.mailbox] = [] }
    for route in routes ?? [] {
      guard case .one(let signer) = signerNames[route.signer] else { continue }
      for name in route.appliers {
        guard case .one(let applier) = applierNames[name] else { continue }
        depositors[applier, default: []].insert(signer)
        depositors[signer, default: []].insert(applier)
      }
    }
    if routes == nil {
      // Shared among the entries, however many they are.
      let (allSigners, allAppliers) = (Set(signers.map(\.mailbox)), Set(appliers.map(\.mailbox)))
      for mailbox in allSigners { depositors[mailbox] = allAppliers }
      for mailbox in allAppliers {
        depositors[mailbox] =
          allSigners.contains(mailbox) ? allSigners.union(allAppliers) : allSigners
      }
    }
    return CarrierAccess(depositors: depositors, byteCountMax: Self.messageByteCountMax)
  }

  private static let messageByteCountMax =
    UInt64(Limits.chunkCountMax) * UInt64(Limits.chunkByteCountMax)

  /// The names of routes that lead nowhere: no identity has that name, or several have.
  package func unknownNames(in routes: [RelaySettings.Route]) -> [String] {
    routes.flatMap { route in
      [route.signer].filter { !signerNames[$0].isOne }
        + route.appliers.filter { !applierNames[$0].isOne }
    }
  }
}
