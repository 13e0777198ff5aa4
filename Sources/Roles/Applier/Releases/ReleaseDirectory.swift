import Git
import GitModel
import MessageFormat
import WorkingTree

/// A deployment whose revisions have a directory each: the new one is complete before the link `current` leads to it, in one
/// step, and the one before stays as it is.
///
/// The repository beside them has the objects and the branch; each release is a linked worktree of it, with a detached HEAD.
final class ReleaseDirectory: Deployment {
  let checkout: Checkout
  let settings: ReleaseSettings
  let journal: Journal
  let onPhase: PhaseObserver
  private let place: ReleasePlace
  private var prepared: (batch: Batch, packs: [QuarantinedPack])?

  init(
    _ checkout: Checkout, _ settings: ReleaseSettings, journal: Journal,
    onPhase: @escaping PhaseObserver
  ) {
    self.checkout = checkout
    self.settings = settings
    self.journal = journal
    self.onPhase = onPhase
    place = ReleasePlace(path: checkout.path, repository: checkout.repository)
  }

  func prepare(_ batch: Batch) throws {
    guard batch.submodules == nil else {
      throw Refused(
        .checkoutUnusable,
        "'layout: releases' takes no files of submodules; set 'submodules: pin' at the signer")
    }
    for change in batch.changes.values where change.new != nil {
      guard settings.shared.contains(where: { change.path.isAt($0) }) else { continue }
      throw Refused(.checkoutUnusable, "\(change.path) is under version control, and 'shared'")
    }
    try batch.publishLargeFiles()
    var (objects, packs) = try batch.objects()
    // All of it is written anew.
    var room = Room()
    room.add(filesOf: batch.totals)
    room.add(packOf: objects.byteCount)
    try room.require(at: checkout.path)
    if let pack = try objects.pack(for: checkout.repository) { packs.append(pack) }
    prepared = (batch, packs)
  }

  func activate() throws {
    guard let (batch, packs) = prepared, let last = batch.patches.last else {
      preconditionFailure("a step is prepared before it is activated")
    }
    prepared = nil
    try onPhase(.prepared)
    let lock = try checkout.takeIndexLock()
    defer { _ = lock }
    try onPhase(.locked)
    let (before, after) = (checkout.branchTarget, last.message.after.revision)
    try requireBranch(at: before)
    let permissions = try checkout.repository.sharedPermissions
    let name = ReleasePlace.name(of: after, last.message.sequence)
    var kept: [KeptPack] = []
    do {
      for pack in packs { kept.append(try pack.keep(permissions)) }
      try onPhase(.kept)
      try checkout.recordShallowBoundary(batch.patches)
      try journal.begin(checkout.settings.path, from: before, to: after, patches: batch.patches)
      try onPhase(.recorded)
      try build(name, after)
      try onPhase(.exchanged)
      try move(from: before, to: after)
    } catch {
      try takeBack(name, after, kept)
      throw error
    }
    try place.use(name)
    try onPhase(.published)
    for pack in kept { try pack.release() }
    try onPhase(.released)
    try removeOld(keeping: before)
    try onPhase(.settled)
    try journal.mark(checkout.settings.path, .activated)
  }

  /// The release's files, index and links, on the disk.
  private func build(_ name: String, _ revision: ObjectID) throws {
    try checkout.repository.exclude(settings.shared.map(\.text))
    try place.make(name, at: revision)
    let release = try Checkout.ofRelease(checkout.settings, at: place.directory(of: name))
    try WorkingCopy(release, journal: journal, onPhase: { _ in }).fill(with: revision)
    try place.linkShared(settings.shared, in: name)
  }

  private func requireBranch(at revision: ObjectID?) throws {
    guard try checkout.lockBranch().state.branch == revision else {
      throw StepFault.moved(path: checkout.path)
    }
  }

  private func move(from before: ObjectID?, to after: ObjectID) throws {
    let branch = try checkout.lockBranch()
    try onPhase(.branchLocked)
    guard try branch.state.branch == before else { throw StepFault.moved(path: checkout.path) }
    try branch.move(from: before, to: after, message: "distro: \(after.abbreviated)")
    try onPhase(.branchMoved)
  }

  /// The link has not led to the release yet.
  private func takeBack(_ name: String, _ after: ObjectID, _ kept: [KeptPack]) throws {
    // Too late: that is for the completion.
    let branch = checkout.settings.stream.branch.fullName
    if try checkout.repository.referenceTarget(branch) == after { return }
    try place.remove(name)
    for pack in kept { try pack.remove() }
    try journal.end(checkout.settings.path)
  }

  /// What is in use, what was before it, and what people have changed, stays.
  private func removeOld(keeping before: ObjectID?) throws {
    let names = try place.names()
    guard names.count > settings.keep else { return }
    let current = try place.current()
    let previous = try before.flatMap { try place.name(of: $0) }
    for name in names.dropFirst(settings.keep) where name != current && name != previous {
      guard try !place.isChanged(name) else { continue }
      try place.remove(name)
    }
  }

  // MARK: - From what the journal knows

  func recover(_ entry: Journal.Entry) throws -> RecoveredStep {
    let name = entry.releaseName
    let head = checkout.head?.revision
    if head == entry.after {
      if try place.current() != name { try place.use(name) }
      try checkout.releaseLeftoverPacks()
      return .activated
    }
    if try place.current() != name { try place.remove(name) }
    try checkout.discardLeftoverPacks()
    return .takenBack
  }

  func rollBack(_ entry: Journal.Entry) throws -> RollBack {
    guard let before = entry.before else { return .impossible("it is the first revision here") }
    let head = checkout.head?.revision
    guard head == entry.after || head == before else {
      return .impossible("the branch was moved by hand")
    }
    guard let previous = try place.name(of: before) else {
      return .impossible("the release of \(before.abbreviated) is gone")
    }
    if try place.current() != previous { try place.use(previous) }
    if head == entry.after { try move(from: entry.after, to: before) }
    return .done
  }

  func directory(of revision: ObjectID) throws -> String {
    try place.name(of: revision).map { place.directory(of: $0) } ?? checkout.path
  }
}

extension Journal.Entry {
  fileprivate var releaseName: String {
    ReleasePlace.name(of: after, messages.last?.message.sequence ?? 0)
  }
}

extension TreePath {
  /// It is this path, or below it.
  fileprivate func isAt(_ other: TreePath) -> Bool {
    bytes.starts(with: other.bytes)
      && (bytes.count == other.bytes.count || bytes[other.bytes.count] == UInt8(ascii: "/"))
  }
}
