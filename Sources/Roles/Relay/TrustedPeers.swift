import CarrierProtocol
import MessageFormat
import Sealing
package import Sodium

/// Whom a relay lets in, at which of its doors, and who of them may send to whom.
package struct TrustedPeers: Sendable {
  package let signers: [PublicIdentity]
  package let appliers: [PublicIdentity]
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
    // Whoever has no route has a mailbox that nothing comes into.
    for identity in signers + appliers { depositors[identity.mailbox] = [] }
    for route in routes ?? [] {
      guard let signer = Self.only(signers, named: route.signer) else { continue }
      for name in route.appliers {
        guard let applier = Self.only(appliers, named: name) else { continue }
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

  /// `nil` also where two have that name: a name proves nothing, and a guess would.
  private static func only(_ identities: [PublicIdentity], named name: String) -> Mailbox? {
    let named = identities.filter { "\($0.name)" == name }
    return named.count == 1 ? named[0].mailbox : nil
  }

  /// The names of routes that lead nowhere: there is nobody of that name, or more than one.
  package func unknownNames(in routes: [RelaySettings.Route]) -> [String] {
    routes.flatMap { route in
      (Self.only(signers, named: route.signer) == nil ? [route.signer] : [])
        + route.appliers.filter { Self.only(appliers, named: $0) == nil }
    }
  }
}
