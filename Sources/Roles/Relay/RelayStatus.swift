package import Mailboxes
package import MessageFormat
import Sealing
package import Sodium

/// What waits at a relay, for whom: all that it knows of the messages that it keeps.
package struct RelayStatus {
  package enum Role: String, Sendable {
    case signer, applier
    /// It is no longer let in, and something is left in its mailbox.
    case removed
  }

  package struct Row: Sendable {
    package let mailbox: Mailbox
    /// `nil`: no file says it any more.
    package let name: IdentityName?
    package let role: Role
    package let waiting: Usage
    /// What is kept of deposits that are not whole; of each, up to its last 32 MiB.
    package let unfinishedByteCount: UInt64
  }

  /// Signers, appliers, and identities that were removed.
  package let rows: [Row]

  package init(_ places: RelayPlaces) throws {
    let peers = TrustedPeers(signers: places.signers, appliers: places.appliers)
    let store = MailboxStore(reading: try StateDatabase(reading: places.state))
    let unfinished = try store.unfinishedByteCounts()
    func row(_ identity: PublicIdentity, _ role: Role) throws -> Row {
      Row(
        mailbox: identity.mailbox, name: identity.name, role: role,
        waiting: try store.usage(of: identity.mailbox, as: .mailbox),
        unfinishedByteCount: unfinished[identity.mailbox] ?? 0)
    }
    let known =
      try peers.signers.map { try row($0, .signer) }
      + peers.appliers.map { try row($0, .applier) }
    let removed = Set(try store.mailboxes()).subtracting(known.map(\.mailbox))
    rows =
      known
      + (try removed.sorted { $0.hex < $1.hex }.map {
        Row(
          mailbox: $0, name: nil, role: .removed, waiting: try store.usage(of: $0, as: .mailbox),
          unfinishedByteCount: unfinished[$0] ?? 0)
      })
  }
}

/// Where a relay's state lies, and whom it lets in, as its directories were when they were read: for looking at that no
/// secret key is needed.
package struct RelayPlaces {
  package let state: String
  package let signers: TrustedDirectory
  package let appliers: TrustedDirectory

  package init(state: String, signers: TrustedDirectory, appliers: TrustedDirectory) {
    (self.state, self.signers, self.appliers) = (state, signers, appliers)
  }
}
