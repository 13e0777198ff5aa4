import Git
import GitModel
import LargeFiles
import Mailboxes
import MessageFormat
import PatchText
import Patching
import Sealing
import WorkingTree

/// A patch that is the right one, for this checkout, on the revision that it has, and gives the signed tree.
///
/// Only `Check` makes one.
struct CheckedPatch {
  enum Objects {
    /// Computed in memory; they are in the batch's overlay.
    case computed
    /// Received as a pack, verified, and not yet part of the repository.
    case packed(QuarantinedPack)
  }

  let admitted: AdmittedMessage
  let changes: [TreeChange]
  /// What was seen where they will be made.
  let expected: [TreePath: ExpectedContent]
  let objects: Objects
  /// The commits that it brings without all of their parents.
  let boundary: [ObjectID]
  /// The commits of the shallow boundary whose parents it brings.
  let completed: Set<ObjectID>
  /// How much the checkout holds then.
  let totals: TreeTotals
  let largeFiles: CheckedLargeFiles
  /// `nil`: their directories are left to people.
  let submodules: SubmoduleChanges?

  fileprivate init(
    _ admitted: AdmittedMessage, changes: [TreeChange], expected: [TreePath: ExpectedContent],
    objects: Objects, boundary: [ObjectID],
    completed: Set<ObjectID> = [], totals: TreeTotals, largeFiles: CheckedLargeFiles,
    submodules: SubmoduleChanges?
  ) {
    self.admitted = admitted
    self.changes = changes
    self.expected = expected
    self.objects = objects
    self.boundary = boundary
    self.completed = completed
    self.totals = totals
    self.largeFiles = largeFiles
    self.submodules = submodules
  }

  var stored: StoredMessage { admitted.opened.stored }
  var message: Message { admitted.opened.message }
  var digest: ContentDigest { admitted.opened.digest }
}

/// The third stage: from an admitted message to a checked patch. Nothing is written to the checkout; a received pack waits
/// in quarantine.
struct Check {
  let batch: Batch
  let inbox: Inbox
  let now: Moment

  /// Throws what the machine did.
  func check(_ admitted: AdmittedMessage) throws -> Passage<CheckedPatch> {
    do {
      if let decision = try revisionMismatch(admitted) { return .ends(decision) }
      return .next(try checkPayload(admitted))
    } catch {
      // A message is not to blame for what the repository has lost.
      if Self.isMissingObject(error), batch.checkout.isDamaged {
        return .ends(.behind(admitted, nil))
      }
      let refused = try Self.refusal(of: error)
      return .ends(.refused(RefusedMessage(.admitted(admitted), refused)))
    }
  }

  private func checkPayload(_ admitted: AdmittedMessage) throws -> CheckedPatch {
    let message = admitted.opened.message
    guard let payload = admitted.opened.payload else { return try checkSameTree(admitted) }
    try requireContent(message, payload.description)
    try requireDescendant(message)
    try requireUnrejected(message)
    switch payload.description.kind {
    case .patch:
      let mark = batch.overlay.mark
      do {
        return try checkPatch(admitted, payload)
      } catch {
        batch.overlay.rollBack(to: mark)
        throw error
      }
    case .pack: return try checkPack(admitted, payload)
    case .replacement:
      try requireReplaceable(batch.current?.revision, message)
      return try checkPack(admitted, payload)
    }
  }

  /// A pack without a change brings commits, or it brings nothing.
  private func requireContent(
    _ message: Message, _ payload: PayloadDescription
  ) throws(Refused) {
    guard message.before?.tree == message.after.tree else { return }
    guard payload.kind == .replacement || payload.kind == .pack && message.commit.isEmpty else {
      throw Refused(.empty, "the tree is \(message.after.tree.abbreviated) before and after")
    }
  }

  /// `nil`: the checkout is where the message starts.
  private func revisionMismatch(_ admitted: AdmittedMessage) throws -> Decision? {
    let message = admitted.opened.message
    let current = batch.current
    guard message.before?.revision == current?.revision else {
      guard let current, current.revision == message.after.revision else {
        return .behind(admitted, current)
      }
      guard current.tree == message.after.tree else {
        throw Refused(.treeMismatch, "the revision after has another tree than the message says")
      }
      return .alreadyThere(admitted, current)
    }
    guard message.before?.tree == current?.tree else {
      throw Refused(.treeMismatch, "the revision before has another tree than the message says")
    }
    return nil
  }

  /// What has failed here is not tried again.
  private func requireUnrejected(_ message: Message) throws {
    guard let rejected = try inbox.rejected(of: message.stream),
      rejected.revision == message.after.revision
    else { return }
    throw rejected.refused
  }

  private func requireDescendant(_ message: Message) throws(Refused) {
    guard batch.checkout.settings.onGoingBack == .refuse, let before = message.before,
      !message.descends
    else { return }
    throw Refused(
      .goingBack,
      "\(message.after.revision.abbreviated) does not descend from "
        + "\(before.revision.abbreviated); set 'on-going-back: apply' for a push by force")
  }

  /// A signer that does not know a revision cannot know its origin: a commit that was made here stays, and so does one of
  /// another signer's, while that one is at work.
  private func requireReplaceable(_ head: ObjectID?, _ message: Message) throws {
    let settings = batch.checkout.settings
    guard settings.onLocalChanges == .refuse, let head else { return }
    guard let sender = try inbox.sender(of: head, on: message.stream) else {
      throw Refused(.foreignCommit, "HEAD is \(head.abbreviated), a commit that no signer sent")
    }
    guard sender != message.signer, settings.signers.contains(sender),
      let heard = try inbox.heard(of: message.stream, by: [sender]), heard.isAlive(at: now)
    else { return }
    throw Refused(
      .foreignCommit,
      "HEAD is \(head.abbreviated), which another signer has sent whose heartbeats still come")
  }

  // MARK: - Patch

  private func checkPatch(
    _ admitted: AdmittedMessage, _ payload: OpenedPayload
  ) throws -> CheckedPatch {
    let message = admitted.opened.message
    var text: [UInt8] = []
    text.reserveCapacity(Int(payload.description.contentSize))
    let incoming = try inflate(payload) { span in
      for index in span.indices { text.append(span[index]) }
    }
    let patch: TextPatch
    do throws(PatchTextError) {
      patch = try TreePatch.parse(text, limits: .carried)
    } catch {
      throw try Self.refusal(of: PatchingError.text(error))
    }
    let tree = try TreePatch.apply(
      patch, to: message.before?.tree, in: &batch.overlay, limits: .carried)
    try requireTree(tree, message)
    let commit = try addCommit(of: message)
    let changes = Self.changes(of: patch)
    let totals = try requireSize(try difference(of: changes))
    try requirePaths(changes) { id throws(GitError) in
      try batch.overlay.read(id, .blob, byteCountMax: TreePath.byteCountMax)
    }
    let largeFiles = try largeFiles(
      of: message, at: changes, incoming.largeFiles, in: batch.overlay)
    let submodules = try submodules(
      of: message, at: changes, incoming.submodules, in: batch.overlay)
    let expected = try requireNoLocalChange(changes, largeFiles, submodules)
    return CheckedPatch(
      admitted, changes: changes, expected: expected, objects: .computed,
      boundary: boundary(of: [commit]) { batch.overlay.contains($0) }, totals: totals,
      largeFiles: largeFiles, submodules: submodules)
  }

  /// The commit of the message, among the objects of the batch.
  private func addCommit(of message: Message) throws -> Commit {
    let commit = try requireCommit(message) { id throws(GitError) in
      batch.overlay.contains(id) ? try batch.overlay.header(id).kind : nil
    }
    try batch.overlay.add(.commit, commit.bytes)
    return commit
  }

  /// Only the revision moves: no file is looked at.
  private func checkSameTree(_ admitted: AdmittedMessage) throws -> CheckedPatch {
    try requireDescendant(admitted.opened.message)
    try requireUnrejected(admitted.opened.message)
    let commit = try addCommit(of: admitted.opened.message)
    return CheckedPatch(
      admitted, changes: [], expected: [:], objects: .computed,
      boundary: boundary(of: [commit]) { batch.overlay.contains($0) }, totals: batch.totals,
      largeFiles: CheckedLargeFiles(), submodules: nil)
  }

  /// A path that changes its type stands in two sections.
  private static func changes(of patch: TextPatch) -> [TreeChange] {
    var changes: [TreePath: TreeChange] = [:]
    for section in patch.sections {
      let old = changes[section.path]?.old ?? section.old
      changes[section.path] = TreeChange(path: section.path, old: old, new: section.new)
    }
    return Array(changes.values)
  }

  // MARK: - Pack

  /// Where HEAD cannot be read, the index says what is there.
  private func mended(_ changes: [TreeChange], _ message: Message) throws -> [TreeChange] {
    let checkout = batch.checkout
    guard checkout.damage != nil, batch.current == nil, checkout.settings.layout == .inPlace
    else { return changes }
    try requireReplaceable(checkout.branchTarget, message)
    return try checkout.mendingChanges(to: changes)
  }

  private func checkPack(
    _ admitted: AdmittedMessage, _ payload: OpenedPayload
  ) throws -> CheckedPatch {
    let message = admitted.opened.message
    let limits = batch.checkout.settings.limits
    let (pack, incoming) = try receive(payload)
    let history = try history(of: message, in: pack)
    let counted = try pack.objects.countedChanges(
      from: batch.current?.tree, to: message.after.tree, limits: limits)
    let totals = try requireSize(counted.difference)
    var changes = try mended(counted.changes, message)
    try requirePaths(changes) { id throws(GitError) in
      try pack.objects.read(id, .blob, byteCountMax: TreePath.byteCountMax)
    }
    let objects = ObjectOverlay(over: pack.objects)
    var largeFiles = try largeFiles(of: message, at: changes, incoming.largeFiles, in: objects)
    let submodules = try submodules(of: message, at: changes, incoming.submodules, in: objects)
    if payload.description.kind == .replacement, payload.description.largeFiles != nil,
      batch.checkout.settings.layout == .inPlace
    {
      let shipped = Set(incoming.largeFiles?.pointers ?? [])
      let unwritten = try batch.checkout.unwrittenLargeFiles(
        of: message.after.tree, in: objects, except: changes, where: shipped.contains)
      for (change, pointer) in unwritten {
        changes.append(change)
        largeFiles.contents[change.path] = pointer
      }
    }
    let expected = try requireNoLocalChange(changes, largeFiles, submodules)
    return CheckedPatch(
      admitted, changes: changes, expected: expected, objects: .packed(pack),
      boundary: boundary(of: history.commits) { pack.objects.contains($0) },
      completed: history.completed, totals: totals, largeFiles: largeFiles,
      submodules: submodules)
  }
}
