import Git
import GitModel
import MessageFormat
import Patching

/// What turns the tree of one revision into that of another, in the form in which it is to travel.
struct Patch {
  enum Content {
    /// git's own patch text; proven.
    case text([UInt8])
    /// These objects, as a pack; the reason is for logs.
    case pack([ObjectReference], reason: String)
    /// Everything, as a pack, in the place of a revision that we do not have.
    case replacement([ObjectReference])
    /// Nothing: the files are the same, and only the revision moves.
    case sameTree
  }

  let update: BranchUpdate
  let before: Snapshot?
  let after: Snapshot
  /// Empty where the pack holds it.
  let commit: [UInt8]
  let content: Content
  /// `before` is among the ancestors of `after`.
  let descends: Bool
  /// What comes of large files; `nil`: they stay pointers.
  let largeFiles: [LargeFile]?
  /// Where submodules come or move to another commit, and arrive without their files.
  let pinnedSubmodules: [TreePath]
  /// What comes of submodules; `nil`: none changes, or they stay ids of commits.
  let submodules: SubmodulePack?
}

/// What the recipients of a message have, and how much we may say of it.
enum Base: Hashable, Sendable {
  case nothing
  /// A revision that our messages have led to or from.
  case sent(ObjectID)
  /// A revision that was never sent. A patch would show what it removes; a pack holds nothing but what comes.
  case unsent(ObjectID)
  /// A revision that we do not have.
  case unknown(Snapshot)

  var revision: ObjectID? {
    switch self {
    case .nothing: nil
    case .sent(let revision), .unsent(let revision): revision
    case .unknown(let snapshot): snapshot.revision
    }
  }
}

/// The first stage: from two revisions to a proven patch, or to a pack where a diff can't or shouldn't say it.
struct Diff {
  let repository: Repository
  let history: SignerRepository.History
  let limits: TreeLimits
  /// `nil`: they stay pointers.
  let largeFiles: ShippedLargeFiles?
  let submodules: SignerRepository.Submodules
  let sameTree: SignerRepository.SameTree
  let source: RepositorySource

  /// Throws `SignerError.unsendable` for what is wrong with a commit or its trees.
  func patch(for update: BranchUpdate, from base: Base) throws -> Patch {
    do {
      return try made(for: update, from: base)
    } catch let error as GitError {
      throw try SignerError(error, of: update.after, in: repository)
    }
  }

  private func made(for update: BranchUpdate, from base: Base) throws -> Patch {
    let commit = try repository.objects.commit(update.after)
    let before = try snapshot(of: base)
    let after = Snapshot(revision: commit.id, tree: commit.tree)
    try requireChange(from: base, before, to: after)
    try requireParents(of: commit)
    let isComparable = try isComparable(base, before, to: after)
    // Before anything is read for the patch: one that is missing is found first.
    let largeFiles = try largeFiles(from: isComparable ? before : nil, base, to: after)
    let submodules = try submodules(from: isComparable ? before : nil, base, to: after)
    let content = try content(from: base, before, to: after, isComparable: isComparable)
    let isInPack =
      switch content {
      case .text, .sameTree: false
      case .pack(let packed, _), .replacement(let packed): packed.contains { $0.id == commit.id }
      }
    return Patch(
      update: update, before: before, after: after, commit: isInPack ? [] : commit.bytes,
      content: content, descends: try descends(update.after, from: base), largeFiles: largeFiles,
      pinnedSubmodules: submodules.pinned, submodules: submodules.shipped)
  }

  private func largeFiles(
    from before: Snapshot?, _ base: Base, to after: Snapshot
  ) throws -> [LargeFile]? {
    var old = before
    if case .unknown = base { old = nil }
    return try largeFiles?.files(from: old, to: after)
  }

  private func submodules(
    from before: Snapshot?, _ base: Base, to after: Snapshot
  ) throws -> (pinned: [TreePath], shipped: SubmodulePack?) {
    var old = before
    if case .unknown = base { old = nil }
    switch submodules {
    case .pin:
      let changes = try repository.objects.submoduleChanges(from: old?.tree, to: after.tree)
      return (changes.filter { $0.new?.mode == .submodule }.map(\.path), nil)
    case .ship:
      do {
        return (
          [],
          try ShippedSubmodules.pack(
            from: old, to: after, in: repository, of: source, limits: limits)
        )
      } catch let error as SubmoduleAt {
        throw SignerError.submodule(commit: after.revision, path: error.path, error.fault)
      }
    }
  }

  private func descends(_ after: ObjectID, from base: Base) throws(GitError) -> Bool {
    switch base {
    case .nothing, .unknown: false
    case .sent(let revision), .unsent(let revision):
      try repository.isAncestor(revision, of: after)
    }
  }

  private func snapshot(of base: Base) throws(GitError) -> Snapshot? {
    switch base {
    case .nothing: nil
    case .unknown(let snapshot): snapshot
    case .sent(let revision), .unsent(let revision):
      Snapshot(revision: revision, tree: try repository.objects.commit(revision).tree)
    }
  }

  /// Also catches a new branch whose first commit has no file. What is replaced may have the same tree, and so may a
  /// revision that is followed.
  private func requireChange(from base: Base, _ before: Snapshot?, to after: Snapshot) throws {
    if case .unknown = base { return }
    if before != nil, sameTree == .follow { return }
    guard try before?.tree ?? ObjectDatabase.hash(.tree, []) != after.tree else {
      throw SignerError.emptyPatch(before: before?.revision ?? .zero, after: after.revision)
    }
  }

  /// An applier refuses it, since git would not work on there.
  private func requireParents(of commit: Commit) throws(GitError) {
    for parent in commit.parents where repository.objects.contains(parent) {
      let kind = try repository.objects.header(parent).kind
      guard kind == .commit else {
        throw .objectKindWrong(parent, expected: .commit, actual: kind)
      }
    }
  }

  /// Counts what comes before anything is read for it. Whether the old tree can be compared with: one that is over every
  /// limit was never sent.
  private func isComparable(
    _ base: Base, _ before: Snapshot?, to after: Snapshot
  ) throws(GitError) -> Bool {
    var old = before?.tree
    if case .unknown = base { old = nil }
    do throws(GitError) {
      _ = try repository.objects.difference(from: old, to: after.tree, limits: limits)
      return true
    } catch {
      guard case .treeOverLimit(let excess) = error, excess.isOfOldSide else { throw error }
    }
    _ = try repository.objects.difference(from: nil, to: after.tree, limits: limits)
    return false
  }

  /// Of a full history, the commits that the other side lacks, oldest first.
  private func missingCommits(
    from before: ObjectID?, to after: ObjectID
  ) throws(GitError) -> [ObjectID] {
    guard history == .full else { return [after] }
    return try repository.commits(from: before, to: after, countMax: Limits.packObjectCountMax)
  }

  private func content(
    from base: Base, _ before: Snapshot?, to after: Snapshot, isComparable: Bool
  ) throws -> Patch.Content {
    if case .unknown = base {
      let missing = try missingCommits(from: nil, to: after.revision)
      return .replacement(try packed(from: nil, to: after, missing: missing))
    }
    let missing = try missingCommits(from: before?.revision, to: after.revision)
    func pack(_ reason: String) throws -> Patch.Content {
      let known = isComparable ? before : nil
      return .pack(try packed(from: known, to: after, missing: missing), reason: reason)
    }
    let isLargeCommit =
      try repository.objects.header(after.revision).byteCount > Limits.commitByteCountMax
    if before?.tree == after.tree, missing.count <= 1, !isLargeCommit { return .sameTree }
    guard isComparable else { return try pack("the old tree is over the limits") }
    guard case .sent = base, let before else {
      return try pack(before == nil ? "snapshot" : "a revision that was never sent")
    }
    guard history == .tip || missing.count == 1 else {
      return try pack("\(missing.count) commits")
    }
    guard !isLargeCommit else { return try pack("large commit object") }
    switch try TreePatch.make(
      from: before.tree, to: after.tree, in: repository.objects, limits: .carried)
    {
    case .made(let text): return .text(text)
    case .unsuited(let obstacle): return try pack("\(obstacle)")
    }
  }

  private func packed(
    from before: Snapshot?, to after: Snapshot, missing: [ObjectID]
  ) throws -> [ObjectReference] {
    let objects = repository.objects
    var packed: [ObjectReference]
    switch history {
    case .full:
      packed = try objects.objects(ofCommits: missing, notIn: before?.revision)
    case .tip:
      packed = try objects.objects(of: after.tree, notIn: before?.tree)
      if try objects.header(after.revision).byteCount > Limits.commitByteCountMax {
        packed.append(ObjectReference(id: after.revision, kind: .commit))
      }
    }
    // A tree that is a part of the old one is there already; a pack without an object is none.
    if packed.isEmpty { packed = [ObjectReference(id: after.tree, kind: .tree)] }
    guard packed.count <= Limits.packObjectCountMax else {
      throw SignerError.overLimit(
        what: "the number of objects", limit: UInt64(Limits.packObjectCountMax),
        actual: UInt64(packed.count))
    }
    return packed
  }
}
