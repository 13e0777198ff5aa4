import GitModel
package import MessageFormat

/// A message that was stored in the outbox.
package struct SentPatch: Sendable {
  package let id: MessageID
  package let update: BranchUpdate
  package let recipients: [Mailbox]
}

/// What one request to send a branch came to.
package struct SendOutcome: Sendable {
  package enum Finding: String, Sendable {
    case sent
    /// Every recipient has the files of the revision, or gets them by what is on its way already.
    case underway
    /// Every recipient has said that it has the files of the revision.
    case upToDate
    /// The revision has the files of what was sent before.
    case noChange
  }

  package let stream: StreamName
  package let target: Snapshot
  package let sent: [SentPatch]
  package let finding: Finding
  /// What machines have was to be replaced, whatever it is.
  let replaces: Bool
  /// Where what was sent brings submodules, or moves them to another commit.
  let submodules: Set<TreePath>
}
