import Git
import GitModel
import LargeFiles
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

  func receive(_ payload: OpenedPayload) throws -> (QuarantinedPack, Accompaniment) {
    var room = Room()
    room.add(packOf: Int(clamping: payload.description.contentSize))
    try room.require(at: batch.checkout.repository.commonDirectory)
    let receiver = try PackReceiver(for: batch.checkout.repository, limits: PackLimits())
    let incoming = try inflate(payload) { try receiver.append($0) }
    return (try receiver.finish(), incoming)
  }

  /// The commits that the message brings, each with everything that its tree needs, in the pack or there before.
  func history(of message: Message, in pack: QuarantinedPack) throws -> History {
    var completeness = TreeCompleteness(in: pack.objects)
    // A replacement may be to mend what is there.
    let known = message.payload?.kind == .replacement ? nil : batch.current?.tree
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
    try requireDescent(of: message, by: history)
    return history
  }

  /// Where the branch names a commit whose objects are lost, the pack alone can show that the message leads on from it.
  private func requireDescent(of message: Message, by history: History) throws(Refused) {
    guard batch.checkout.settings.onGoingBack == .refuse, batch.current == nil,
      let lost = batch.checkout.branchTarget, lost != message.after.revision,
      !history.commits.contains(where: { $0.id == lost })
    else { return }
    throw Refused(
      .goingBack,
      "objects of \(lost.abbreviated) are lost, and \(message.after.revision.abbreviated) is not known to "
        + "descend from it; set 'on-going-back: apply' until it has arrived")
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
