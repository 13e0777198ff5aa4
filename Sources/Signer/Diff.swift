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
  }

  let update: BranchUpdate
  let before: Snapshot?
  let after: Snapshot
  /// Empty where the pack holds it.
  let commit: [UInt8]
  let content: Content
}

/// The first stage: from two revisions to a proven patch, or to a pack where a diff can't or shouldn't say it.
struct Diff {
  let repository: Repository
  let history: SignerRepository.History

  func patch(for update: BranchUpdate) throws -> Patch {
    let objects = repository.objects
    let commit = try objects.commit(update.after)
    let before = try update.before.map {
      Snapshot(revision: $0, tree: try objects.commit($0).tree)
    }
    let after = Snapshot(revision: commit.id, tree: commit.tree)
    // Also catches a new branch whose first commit has no file.
    guard try before?.tree ?? ObjectDatabase.hash(.tree, []) != after.tree else {
      throw SignerError.emptyPatch(before: update.before ?? .zero, after: update.after)
    }
    let missing = try missingCommits(update)
    let content = try content(
      before: before, after: after, missing: missing, parents: commit.parents)
    let isInPack =
      if case .pack(let packed, _) = content { packed.contains { $0.id == commit.id } } else {
        false
      }
    return Patch(
      update: update, before: before, after: after, commit: isInPack ? [] : commit.bytes,
      content: content)
  }

  /// Of a full history, the commits that the other side lacks, oldest first.
  private func missingCommits(_ update: BranchUpdate) throws(GitError) -> [ObjectID] {
    guard history == .full else { return [update.after] }
    return try repository.commits(
      from: update.before, to: update.after, countMax: Limits.packObjectCountMax)
  }

  private func content(
    before: Snapshot?, after: Snapshot, missing: [ObjectID], parents: [ObjectID]
  ) throws -> Patch.Content {
    let isOneStep = history == .tip || missing.count == 1
    guard let before, isOneStep else {
      return try pack(
        before: before, after: after, missing: missing,
        reason: before == nil ? "snapshot" : "\(missing.count) commits")
    }
    guard try repository.objects.header(after.revision).byteCount <= Limits.commitByteCountMax
    else {
      return try pack(before: before, after: after, missing: missing, reason: "large commit object")
    }
    switch try TreePatch.make(
      from: before.tree, to: after.tree, in: repository.objects, limits: .carried)
    {
    case .made(let text): return .text(text)
    case .unsuited(let obstacle):
      return try pack(before: before, after: after, missing: missing, reason: "\(obstacle)")
    }
  }

  private func pack(
    before: Snapshot?, after: Snapshot, missing: [ObjectID], reason: String
  ) throws -> Patch.Content {
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
    return .pack(packed, reason: reason)
  }
}
