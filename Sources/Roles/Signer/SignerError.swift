package import Git
package import GitModel
package import LargeFileFetching
package import LargeFiles
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
  /// A revision was asked for by a program that may only ask for what the branch holds.
  case notOnBranch(BranchName, ObjectID)
  /// More recipients were asked for than a branch has.
  case quorum(Int, recipientCount: Int)
  case emptyPatch(before: ObjectID, after: ObjectID)
  case unsupported(path: String, reason: String, hint: String? = nil)
  /// A commit, or a tree or path of it, that cannot be sent as it is.
  case unsendable(commit: ObjectID, GitError, hint: String?)
  case overLimit(what: String, limit: UInt64, actual: UInt64)
  /// A file of a commit whose content is to be shipped, and cannot be.
  case largeFile(commit: ObjectID, path: TreePath, LargeFileError)
  /// The same, of what the upstream is to give.
  case largeFileFetch(commit: ObjectID, path: TreePath, LargeFilePointer, LargeFileFetchError)
  /// A submodule whose files are to be shipped, and cannot be.
  case submodule(commit: ObjectID, path: TreePath, SubmoduleFault)
  case mailbox(MailboxError)
  case state(String)

  package var description: String {
    switch self {
    case .unknownRepository(let path): "\(path) is not a configured repository"
    case .notConfigured(let ref, let repository):
      "\(ref) is not among the branches that are configured for \(repository)"
    case .missingReference(let branch, let repository):
      "\(repository) has no branch \(branch.shortName)"
    case .streamMoved(let stream): "other runs keep sending on \(stream.branch) of \(stream.remote)"
    case .overtaken(let branch, let newer):
      "\(branch.shortName): \(newer.abbreviated), which includes this push, was sent already"
    case .goingBack(let branch, let older, let newer):
      "\(branch.shortName): \(older.abbreviated) lies behind \(newer.abbreviated), which was sent already"
    case .notOnBranch(let branch, let revision):
      "\(revision.abbreviated) is not on \(branch.shortName): the daemon sends only what the branch holds"
    case .quorum(let quorum, let count):
      "a quorum of \(quorum) exceeds the branch's number of recipients, \(count)"
    case .emptyPatch(let before, let after):
      "the patch from \(before.abbreviated) to \(after.abbreviated) is empty: both have the same tree"
    case .unsupported(let path, let reason, _): "\(path): \(reason)"
    case .unsendable(let commit, let error, _): "commit \(commit): \(error)"
    case .overLimit(let what, let limit, let actual):
      "\(what) is \(actual), over the limit of \(limit)"
    case .largeFile(let commit, let path, let error): "commit \(commit): \(path): \(error)"
    case .largeFileFetch(let commit, let path, let pointer, let error):
      "commit \(commit): \(path): large file \(pointer.abbreviated) (\(pointer.byteCount) bytes): \(error)"
    case .submodule(let commit, let path, let fault):
      "commit \(commit): \(path): \(fault.description)"
    case .mailbox(let error): "outbox: \(error)"
    case .state(let reason): "signer state: \(reason)"
    }
  }

  /// Nothing to do, rather than something that went wrong.
  package var isOvertaken: Bool { if case .overtaken = self { true } else { false } }

  var isEmptyPatch: Bool { if case .emptyPatch = self { true } else { false } }

  var isStreamMoved: Bool { if case .streamMoved = self { true } else { false } }
}

extension SignerError {
  /// What git says of a commit on its way to a message, with what to do about it.
  init(_ error: GitError, of commit: ObjectID, in repository: Repository) throws(GitError) {
    if case .inCommit(let id, let error) = error {
      try self.init(error, of: id, in: repository)
      return
    }
    let hint: String? =
      switch error {
      case .treeOverLimit: "if it is meant to be so large, raise 'limits:' of the repository"
      case .objectMissing where try repository.isPartialClone():
        "the repository is a partial clone; `git fetch --refetch --no-filter` brings all of it"
      case .objectMissing: "`git fsck --connectivity-only` there lists what is missing"
      case .malformedTree, .unsafePath, .treeTooDeep:
        "correct the path and commit; commits that hold it still are not sent with 'history: tip'"
      case .objectTooLarge: "such a file cannot be sent; keep it elsewhere"
      default: nil
      }
    self = .unsendable(commit: commit, error, hint: hint)
  }
}
