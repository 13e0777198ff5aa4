import Git
import GitModel
import WorkingTree

// Submodules: their objects first, their files with all others, their index and HEAD once the branch has moved.
extension WorkingCopy {
  /// Puts what came into the submodules' own repositories, which changes nothing that anyone sees; durable when it returns.
  func publish(_ submodules: SubmoduleChanges) throws {
    let permissions = try checkout.repository.sharedPermissions
    for step in submodules.steps {
      guard let target = step.new else { continue }
      if try step.directory.standing == .absent { try step.directory.make() }
      try step.directory.take(
        target.commit, tree: target.tree, from: submodules.objects, permissions)
    }
    for step in submodules.steps where step.new != nil {
      try submodules.objects.add(step.directory)
    }
    try submodules.incoming?.discard()
  }

  /// git's locks on the indexes of submodules that are there, and the last look at these.
  func lockSubmodules(of step: WorkingCopyStep) throws -> [GitLock] {
    guard let submodules = step.submodules else { return [] }
    var locks: [GitLock] = []
    for submodule in submodules.steps {
      guard let old = submodule.old else { continue }
      locks.append(try checkout.lock(submodule.directory.path + "index"))
      guard try submodule.directory.head == .detached(old) else {
        throw StepFault.moved(path: "\(submodule.path)")
      }
    }
    guard checkout.settings.onLocalChanges == .refuse else { return locks }
    let indexes = try SubmoduleIndexes(of: submodules)
    let look = try LocalChanges(checkout: checkout, pending: [:], submodules: indexes)
    for change in submodules.files where look.stagedChange(at: change) != nil {
      throw StepFault.moved(path: "\(change.path)")
    }
    return locks
  }

  /// After the branch has moved: what is killed here is done by the next run.
  func settleSubmodules(of step: WorkingCopyStep) throws {
    guard let submodules = step.submodules else { return }
    let staged = Dictionary(step.staged.writes.map { ($0.path, $0.file) }) { $1 }
    let settling = SubmoduleSettling(
      places: checkout.submodulePlaces, objects: submodules.objects,
      permissions: try checkout.repository.sharedPermissions,
      lock: { [checkout] in try checkout.lock($0) },
      status: { [checkout] path in
        try staged[path].flatMap { try checkout.files.status(of: path, ifStill: $0) }
      })
    try settling.settle(submodules.steps, in: checkout.files)
  }
}

/// Brings index, HEAD and the file `.git` of submodules to where their files are. Can be repeated.
struct SubmoduleSettling {
  let places: SubmodulePlaces
  let objects: ObjectDatabase
  let permissions: SharedPermissions
  let lock: (String) throws -> GitLock
  /// Of a file that is as it was written.
  let status: (TreePath) throws -> FileStatus?

  func settle(_ steps: [SubmoduleStep], in files: borrowing WorkingTree) throws {
    for step in steps {
      let link = places.link(to: step.directory, from: step.path)
      guard let target = step.new else {
        try files.removeGitLink(in: step.path, ifHolds: link)
        continue
      }
      let lock = try lock(step.directory.path + "index")
      try step.directory.setWorkTree(places.workTree(of: step.directory, at: step.path))
      try files.makeGitLink(in: step.path, link)
      try updateIndex(step, to: target.tree)
      try moveHead(step, to: target.commit)
      try step.directory.activate(step.name.path)
      _ = lock
    }
  }

  private func updateIndex(_ step: SubmoduleStep, to tree: ObjectID) throws {
    let now = IndexedStatus.Time.now()
    let index = try IndexUpdater(gitDirectory: step.directory.path)
    try index.refresh()
    let wanted = try objects.changes(from: nil, to: tree, limits: .counted)
    let paths = Set(wanted.map(\.path))
    var upserts: [IndexUpsert] = []
    for change in wanted {
      guard let entry = change.new, index.entry(at: change.path) != .entry(entry) else { continue }
      let path = try TreePath(step.path.bytes + [UInt8(ascii: "/")] + change.path.bytes)
      upserts.append(
        IndexUpsert(
          path: change.path, entry: entry,
          status: entry.mode == .submodule ? nil : try status(path).map { IndexedStatus($0) }))
    }
    try index.prepare(
      removals: (index.entries() ?? []).map(\.path).filter { !paths.contains($0) },
      upserts: upserts, lookedAt: now)
    try index.publish(permissions)
  }

  private func moveHead(_ step: SubmoduleStep, to commit: ObjectID) throws {
    let own = try step.directory.objects()
    if try !own.commit(commit).parents.allSatisfy(own.contains) {
      try step.directory.addShallow(commit)
    }
    let lock = try lock(step.directory.path + "HEAD")
    try step.directory.detachHead(at: commit)
    _ = lock
  }
}
