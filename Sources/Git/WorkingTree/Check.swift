internal import GitModel
internal import Glibc

extension WorkingTree {
  /// Throws what would stop `exchange` on its way; changes nothing in the tree.
  ///
  /// Not found here, since only the attempt can tell: a directory for whose new entries the disk
  /// has no room left, a quota on entries, files that the system holds immutable, and what other
  /// programs do meanwhile.
  package func check(
    _ change: StagedChange, from staging: Staging
  ) throws(WorkingTreeError) {
    _ = try moves(for: Plan(change), from: staging, note: [])
  }

  /// What `exchange` will move, and the links that are in its way.
  func moves(
    for plan: Plan, from staging: Staging, note: [UInt8]
  ) throws(WorkingTreeError) -> PlannedMoves {
    var planned = PlannedMoves(plan, note: note, staging)
    for place in plan.removals {
      try checkRemoval(of: EntryNames(place.path))
      planned.remove(place)
    }
    for write in plan.change.writes {
      let names = EntryNames(write.path)
      try checkTarget(names, write.expected, &planned)
      if write.file.isLink { try giveGroup(to: write.file, names, staging) }
      guard let content = try contentInTheWay(of: names, plan) else { continue }
      throw .directoryInTheWay(write.path, content: content)
    }
    for place in plan.change.submodules {
      let names = EntryNames(place.path)
      try checkTarget(names, place.expected, &planned)
      try checkSubmodule(names, place, &planned)
    }
    return planned
  }

  private func checkRemoval(of names: EntryNames) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    guard walk.stop == nil, try walk.directory.status(names.last) != nil else { return }
    try walk.directory.checkWritable(names[walk.depth])
  }

  private func checkTarget(
    _ names: EntryNames, _ expected: ExpectedContent, _ planned: inout PlannedMoves
  ) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    let next = names[walk.depth]
    try walk.directory.checkWritable(next)
    if walk.stop == .blocked, !planned.goes(next.path) {
      let status = try walk.directory.status(next)
      guard status?.isLink ?? true, expected == .anything else {
        throw .fileInTheWay(next.treePath)
      }
      planned.remove(StagedChange.Place(path: next.treePath, expected: .anything))
    }
    let parent = try walk.directory.status(describing: next.parentDescription(directory))
    guard parent.device == planned.device else {
      throw .otherFileSystem(directory: next.parentDescription(directory))
    }
    if walk.stop != nil {
      for depth in walk.depth..<names.count - 1 { planned.make(names[depth].path) }
    }
  }

  /// A file or link at the path of a submodule goes, if it is the one that is expected there.
  private func checkSubmodule(
    _ names: EntryNames, _ place: StagedChange.Place, _ planned: inout PlannedMoves
  ) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    guard walk.stop == nil, let status = try walk.directory.status(names.last) else {
      return planned.make(names.last.path)
    }
    if status.isDirectory { return }
    guard place.expected != .nothing else { throw .fileInTheWay(place.path) }
    planned.remove(place)
    planned.make(names.last.path)
  }

  /// The path of something that is to stay below the path that is to become a file.
  private func contentInTheWay(
    of names: EntryNames, _ plan: Plan
  ) throws(WorkingTreeError) -> [UInt8]? {
    let walk = try walk(to: names)
    guard walk.stop == nil, try walk.directory.status(names.last)?.isDirectory ?? false else {
      return nil
    }
    return try walk.directory.content(of: names.last, except: plan.removed)
  }

  /// As a link that is made in a directory with the set-group-ID bit has its group (inode(7)); nothing
  /// depends on it, so that it is no error where we may not.
  private func giveGroup(
    to file: StagedFile, _ names: EntryNames, _ staging: Staging
  ) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    let parent = try walk.directory.status(describing: names.last.parentDescription(directory))
    guard parent.mode & S_ISGID != 0, parent.group != file.status.group else { return }
    _ = unsafe Staging.slot(file.number).withCString {
      unsafe fchownat(staging.root.number, $0, uid_t.max, parent.group, AT_SYMLINK_NOFOLLOW)
    }
  }
}

/// The list of moves, as the checks complete it.
struct PlannedMoves {
  let plan: Plan
  let device: UInt64
  private(set) var list: MoveList
  /// One for each of the list's.
  private(set) var removals: [StagedChange.Place] = []
  private let staging: Staging
  private var going: Set<[UInt8]>
  private var listed: Set<[UInt8]> = []
  private var made: Set<[UInt8]> = []

  init(_ plan: Plan, note: [UInt8], _ staging: Staging) {
    self.plan = plan
    self.staging = staging
    device = staging.device
    going = plan.removed
    list = MoveList(note: note)
    list.writes = plan.change.writes.map { write in
      MoveList.Write(
        number: write.file.number, path: write.path.bytes, inode: write.file.status.inode,
        modified: write.file.status.modified, size: write.file.status.size)
    }
  }

  func goes(_ path: [UInt8]) -> Bool { going.contains(path) }

  mutating func remove(_ place: StagedChange.Place) {
    guard listed.insert(place.path.bytes).inserted else { return }
    going.insert(place.path.bytes)
    removals.append(place)
    list.removals.append(.init(number: staging.reserve(), path: place.path.bytes))
  }

  mutating func make(_ directory: [UInt8]) {
    if made.insert(directory).inserted { list.directories.append(directory) }
  }
}

extension Descriptor {
  /// Whether entries of the directory can be replaced, and the directory synced afterwards.
  fileprivate func checkWritable(_ entry: EntryName) throws(WorkingTreeError) {
    guard unsafe faccessat(number, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0 else {
      throw .cannot("write to the directory of", entry, errno)
    }
  }
}

extension EntryName {
  func parentDescription(_ directory: String) -> String {
    parentPath.isEmpty ? directory : TreePath.quoted(parentPath)
  }
}
