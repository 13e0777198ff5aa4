import Compression
import Git
import GitModel
import LargeFiles
import MessageFormat
import PatchText
import Patching
import Sealing
import WorkingTree

// What both forms of a payload must fulfil.
extension Check {
  func requireTree(_ tree: ObjectID, _ message: Message) throws(Refused) {
    guard tree == message.after.tree else {
      throw Refused(
        .treeMismatch,
        "applying gives the tree \(tree.abbreviated), signed is \(message.after.tree.abbreviated)")
    }
  }

  /// The commit object in the message is the one that the revision names, with the signed tree.
  ///
  /// `kind`: of an object that is there, or comes with the message; `nil` for what is not there.
  func requireCommit(
    _ message: Message, kind: (ObjectID) throws(GitError) -> ObjectKind?
  ) throws -> Commit {
    let commit: Commit
    do throws(GitError) {
      commit = try Commit(bytes: message.commit)
    } catch {
      throw Refused(.commitMismatch, "\(error)")
    }
    guard commit.id == message.after.revision, commit.tree == message.after.tree else {
      throw Refused(
        .commitMismatch,
        "the commit object is \(commit.id.abbreviated) with the tree \(commit.tree.abbreviated), not "
          + "\(message.after.revision.abbreviated) with \(message.after.tree.abbreviated)")
    }
    try requireParents(of: commit, as: .commitMismatch, kind: kind)
    return commit
  }

  /// Parents may be missing; what is there under a parent's id must be a commit.
  func requireParents(
    of commit: Commit, as refusal: Refusal, kind: (ObjectID) throws(GitError) -> ObjectKind?
  ) throws {
    for parent in commit.parents {
      guard let kind = try kind(parent), kind != .commit else { continue }
      throw Refused(
        refusal,
        "the parent \(parent.abbreviated) of \(commit.id.abbreviated) is a \(kind.rawValue)")
    }
  }

  /// What the decompressor gave is what the message says; more does not get so far.
  func requireSize(_ count: Int, of description: PayloadDescription) throws(Refused) {
    guard UInt64(count) == description.inflatedSize else {
      throw Refused(
        .malformed,
        "the payload has \(count) bytes inflated, the message says \(description.inflatedSize)")
    }
  }

  /// `content`: of a blob by its id, for the targets of symbolic links.
  func requirePaths(
    _ changes: [TreeChange], content: (ObjectID) throws(GitError) -> [UInt8]
  ) throws {
    let policy = PathPolicy(settings: batch.checkout.settings)
    for change in changes {
      try policy.require(change)
      if let new = change.new, new.mode == .symbolicLink {
        let target: [UInt8]
        do throws(GitError) {
          target = try content(new.id)
        } catch {
          throw try Self.refusal(of: error)
        }
        try policy.require(linkAt: change.path, to: target)
      }
    }
  }

  /// What was seen at the paths; nothing where it does not matter.
  func requireNoLocalChange(
    _ changes: [TreeChange], _ largeFiles: CheckedLargeFiles, _ submodules: SubmoduleChanges?
  ) throws -> [TreePath: ExpectedContent] {
    let settings = batch.checkout.settings
    // A release begins without files.
    guard settings.onLocalChanges == .refuse, settings.layout == .inPlace else { return [:] }
    return try batch.checkout.requireNoLocalChange(
      changes, largeFiles.contents, submodules, pending: batch.changes)
  }
}

extension Checkout {
  /// Throws `Refused` where there is one, in the checkout's own files or in those of submodules.
  func requireNoLocalChange(
    _ changes: [TreeChange], _ contents: [TreePath: LargeFilePointer],
    _ submodules: SubmoduleChanges?, pending: [TreePath: TreeChange] = [:]
  ) throws -> [TreePath: ExpectedContent] {
    let indexes = try submodules.map { try SubmoduleIndexes(of: $0) }
    let look = try LocalChanges(
      checkout: self, pending: pending, contents: contents, submodules: indexes)
    if let submodules {
      for change in changes where submodules.handled.contains(change.path) {
        guard let what = look.stagedChange(at: change) else { continue }
        throw Refused(.localChanges, "the submodule \(change.path) \(what)")
      }
    }
    return try look.require(noneAt: submodules?.fileChanges(beside: changes) ?? changes)
  }
}

// What went wrong, as a refusal if a peer did it, and as it is if the machine did.
extension Check {
  /// Whether an object could not be read, wherever it should have been.
  static func isMissingObject(_ error: any Error) -> Bool {
    switch error {
    case GitError.objectMissing, GitError.objectDamaged, GitError.malformedTree: true
    case PatchingError.git(let error): isMissingObject(error)
    default: false
    }
  }

  static func refusal(of error: any Error) throws -> Refused {
    switch error {
    case let error as Refused: return error
    case let error as LargeFileError where error.isAboutContent:
      return Refused(.invalidLargeFile, "\(error)")
    case CompressionError.outOfMemory: throw error
    case let error as CompressionError: return Refused(.malformed, "the payload: \(error)")
    case let error as GitError: return try refusal(ofGit: error)
    case let error as PatchingError: return try refusal(ofPatching: error)
    default: throw error
    }
  }

  private static func refusal(ofGit error: GitError) throws -> Refused {
    switch error {
    case .unsafePath: Refused(.unsafePath, "\(error)")
    case .objectTooLarge, .treeOverLimit, .treeTooDeep, .tooManyPackedObjects,
      .packedObjectTooLarge, .tooManyCommits:
      Refused(.overLimit, "\(error)")
    case .objectMissing, .objectKindWrong, .malformedTree, .malformedCommit, .malformedPack:
      Refused(.invalidPack, "\(error)")
    default: throw error
    }
  }

  private static func refusal(ofPatching error: PatchingError) throws -> Refused {
    switch error {
    case .git(let error): try refusal(ofGit: error)
    case .text(.unsafePath(let path)): Refused(.unsafePath, "\(path)")
    case .text(.overLimit), .tooDeep, .tooMuchContent: Refused(.overLimit, "\(error)")
    case .text(.notCanonical), .text(.contradictory): Refused(.malformed, "\(error)")
    case .text(.doesNotApply), .baseDiffers, .blocked: Refused(.doesNotApply, "\(error)")
    case .contentDiffers, .otherTree: Refused(.treeMismatch, "\(error)")
    }
  }
}
