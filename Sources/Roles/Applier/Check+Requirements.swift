import Compression
import Git
import GitModel
import MessageFormat
import PatchText
import Patching
import Sealing

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
  @discardableResult
  func requireCommit(_ message: Message) throws(Refused) -> Commit {
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
    return commit
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

  func requireNoLocalChange(_ changes: [TreeChange]) throws {
    guard batch.checkout.settings.onLocalChanges == .refuse else { return }
    try LocalChanges(checkout: batch.checkout, pending: batch.changes).require(noneAt: changes)
  }
}

// A received pack.
extension Check {
  func receive(_ opened: OpenedMessage) throws -> QuarantinedPack {
    let description = opened.message.payload
    let receiver = try PackReceiver(for: batch.checkout.repository, limits: PackLimits())
    var decompressor = try Decompressor(outputByteCountMax: Int(description.inflatedSize))
    try opened.payload.forEachPiece { piece, _ in
      try decompressor.write(piece) { span throws(GitError) in try receiver.append(span) }
    }
    try decompressor.finish()
    return try receiver.finish()
  }

  /// The commits that the message brings, each with everything that its tree needs, in the pack or there before.
  func history(of message: Message, in objects: ObjectDatabase) throws -> [Commit] {
    let known = batch.current?.tree
    try requireComplete(message.after.tree, known: known, in: objects)
    guard message.commit.isEmpty else { return [try requireCommit(message)] }
    // Also where the repository has it already: nothing else says that it is a commit, with this tree.
    try requireTree(try objects.commit(message.after.revision).tree, message)
    var commits: [Commit] = []
    var waiting = [message.after.revision]
    var seen = Set(waiting)
    while let id = waiting.popLast() {
      // What the repository has already is not what this message brought.
      if batch.checkout.repository.objects.contains(id) { continue }
      guard objects.contains(id) else { continue }
      let commit = try objects.commit(id)
      try requireComplete(commit.tree, known: known, in: objects)
      commits.append(commit)
      waiting += commit.parents.filter { seen.insert($0).inserted }
    }
    return commits
  }

  /// Those of `commits` that git must not look behind: a parent is neither there nor on its way in the same batch.
  func boundary(of commits: [Commit], isThere: (ObjectID) -> Bool) -> [ObjectID] {
    let own = Set(commits.map(\.id))
    return commits.filter { commit in
      !commit.parents.allSatisfy { own.contains($0) || isThere($0) }
    }.map(\.id)
  }

  private func requireComplete(
    _ tree: ObjectID, known: ObjectID?, in objects: ObjectDatabase
  ) throws(GitError) {
    let missing = try objects.missingObjects(ofTree: tree, known: known)
    if let first = missing.first { throw .objectMissing(first) }
  }
}

// What went wrong, as a refusal if a peer did it, and as it is if the machine did.
extension Check {
  static func refusal(of error: any Error) throws -> Refused {
    switch error {
    case let error as Refused: return error
    case let error as StreamError<GitError>:
      switch error {
      case .stream(let error): return try refusal(of: error)
      case .sink(let error): return try refusal(ofGit: error)
      }
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
    case .objectTooLarge, .tooManyChanges, .treeTooDeep, .tooManyPackedObjects,
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
