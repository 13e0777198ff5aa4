import Compression
import Git
import GitModel
import MessageFormat
import Sealing

// A received pack.
extension Check {
  /// What a message brings of the history.
  struct History {
    var commits: [Commit] = []
    /// Of the shallow boundary, the commits whose parents are all there now.
    var completed: Set<ObjectID> = []
  }

  func receive(_ opened: OpenedMessage) throws -> QuarantinedPack {
    let description = opened.message.payload
    var room = Room()
    room.add(packOf: Int(clamping: description.inflatedSize))
    try room.require(at: batch.checkout.repository.commonDirectory)
    let receiver = try PackReceiver(for: batch.checkout.repository, limits: PackLimits())
    var decompressor = try Decompressor(outputByteCountMax: Int(description.inflatedSize))
    var byteCount = 0
    try opened.payload.forEachPiece { piece, _ in
      try decompressor.write(piece) { span throws(GitError) in
        byteCount += span.count
        try receiver.append(span)
      }
    }
    try decompressor.finish()
    try requireSize(byteCount, of: description)
    return try receiver.finish()
  }

  /// The commits that the message brings, each with everything that its tree needs, in the pack or there before.
  func history(of message: Message, in pack: QuarantinedPack) throws -> History {
    var completeness = TreeCompleteness(in: pack.objects)
    // A replacement may be to mend what is there.
    let known = message.payload.kind == .replacement ? nil : batch.current?.tree
    try requireComplete(message.after.tree, known: known, &completeness)
    var history = History()
    if message.commit.isEmpty {
      history = try commits(of: message, in: pack, known: known, &completeness)
    } else {
      history.commits = [try requireCommit(message, kind: Self.kinds(in: pack.objects))]
    }
    // A commit is in the message or in the pack, not in both.
    let packedCount = message.commit.isEmpty ? history.commits.count : 0
    try requireNothingElse(in: pack, history.commits, packedCount, &completeness)
    return history
  }

  private func commits(
    of message: Message, in pack: QuarantinedPack, known: ObjectID?,
    _ completeness: inout TreeCompleteness
  ) throws -> History {
    let objects = pack.objects
    // Also where the repository has it already: nothing else says that it is a commit, with this tree.
    try requireTree(try objects.commit(message.after.revision).tree, message)
    var history = History()
    var waiting = [message.after.revision]
    for id in try batch.checkout.repository.shallowBoundary() where objects.contains(id) {
      let parents = try objects.commit(id).parents
      guard parents.allSatisfy(objects.contains), parents.contains(where: pack.index.contains)
      else { continue }
      history.completed.insert(id)
      waiting += parents
    }
    var seen = Set(waiting)
    while let id = waiting.popLast() {
      guard pack.index.contains(id) else { continue }
      let commit = try objects.commit(id)
      try requireComplete(commit.tree, known: known, &completeness)
      try requireParents(of: commit, as: .invalidPack, kind: Self.kinds(in: objects))
      history.commits.append(commit)
      waiting += commit.parents.filter { seen.insert($0).inserted }
    }
    return history
  }

  /// Those of `commits` that git must not look behind: a parent is neither there nor on its way in the same batch.
  func boundary(of commits: [Commit], isThere: (ObjectID) -> Bool) -> [ObjectID] {
    let own = Set(commits.map(\.id))
    return commits.filter { commit in
      !commit.parents.allSatisfy { own.contains($0) || isThere($0) }
    }.map(\.id)
  }

  /// What nothing names would stay in the repository unread, and could be anything.
  private func requireNothingElse(
    in pack: QuarantinedPack, _ commits: [Commit], _ packedCount: Int,
    _ completeness: inout TreeCompleteness
  ) throws {
    func namedCount() -> Int { packedCount + completeness.visitedCount(in: pack.index) }
    if namedCount() == pack.index.count { return }
    // Trees that differ from the known one only in part were looked at in part.
    var whole = TreeCompleteness(in: pack.objects)
    for tree in Set(commits.map(\.tree)) { try requireComplete(tree, known: nil, &whole) }
    completeness = whole
    guard namedCount() == pack.index.count else {
      throw Refused(
        .invalidPack, "the pack has objects that neither its commits nor their trees name")
    }
  }

  private func requireComplete(
    _ tree: ObjectID, known: ObjectID?, _ completeness: inout TreeCompleteness
  ) throws(GitError) {
    let missing = try completeness.missingObjects(ofTree: tree, known: known)
    if let first = missing.first { throw .objectMissing(first) }
  }

  static func kinds(
    in objects: ObjectDatabase
  ) -> (ObjectID) throws(GitError) -> ObjectKind? {
    { id throws(GitError) in objects.contains(id) ? try objects.header(id).kind : nil }
  }
}
