package import GitModel
package import Mailboxes
package import MessageFormat

/// Why nothing was sent; the outbox is as it was.
package enum SignerError: Error, CustomStringConvertible {
  case unknownRepository(String)
  case notConfigured(ref: String, repository: String)
  case missingReference(BranchName, repository: String)
  /// Another run has sent on the stream meanwhile.
  case streamMoved(StreamName)
  /// A later push was sent before this one.
  case overtaken(BranchName, by: ObjectID)
  /// A revision was asked for that lies behind what was sent, and is not the branch's tip.
  case goingBack(BranchName, to: ObjectID, from: ObjectID)
  /// More recipients were asked for than a branch has.
  case quorum(Int, recipientCount: Int)
  case emptyPatch(before: ObjectID, after: ObjectID)
  case unsupported(path: String, reason: String)
  case overLimit(what: String, limit: UInt64, actual: UInt64)
  case mailbox(MailboxError)
  case state(String)

  package var description: String {
    switch self {
    case .unknownRepository(let path): "\(path) is none of the configured repositories"
    case .notConfigured(let ref, let repository):
      "\(ref) is not among the branches that are configured for \(repository)"
    case .missingReference(let branch, let repository):
      "\(repository) has no branch \(branch.shortName)"
    case .streamMoved(let stream): "other runs keep sending on \(stream.branch) of \(stream.remote)"
    case .overtaken(let branch, let newer):
      "\(branch.shortName): \(newer.abbreviated), which includes this push, was sent already"
    case .goingBack(let branch, let older, let newer):
      "\(branch.shortName): \(older.abbreviated) lies behind \(newer.abbreviated), which was sent already"
    case .quorum(let quorum, let count):
      "a quorum of \(quorum) exceeds the branch's number of recipients, \(count)"
    case .emptyPatch(let before, let after):
      "the patch from \(before.abbreviated) to \(after.abbreviated) is empty: both have the same tree"
    case .unsupported(let path, let reason): "\(path): \(reason)"
    case .overLimit(let what, let limit, let actual):
      "\(what) is \(actual), over the limit of \(limit)"
    case .mailbox(let error): "outbox: \(error)"
    case .state(let reason): "signer state: \(reason)"
    }
  }

  /// Nothing to do, rather than something that went wrong.
  package var isOvertaken: Bool { if case .overtaken = self { true } else { false } }

  var isEmptyPatch: Bool { if case .emptyPatch = self { true } else { false } }

  var isStreamMoved: Bool { if case .streamMoved = self { true } else { false } }
}
