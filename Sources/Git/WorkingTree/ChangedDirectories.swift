internal import GitModel
internal import Glibc

/// Which directories a commit has to bring to the disk.
struct ChangedDirectories {
  /// Beyond that, one call for the whole file system is faster.
  static let countMax = 16

  private(set) var paths: Set<[UInt8]> = []
  private(set) var syncsAll: Bool

  init(syncsAll: Bool) {
    self.syncsAll = syncsAll
  }

  /// `path` is empty for the top directory.
  mutating func note(_ path: [UInt8]) {
    if syncsAll { return }
    paths.insert(path)
    if paths.count > Self.countMax { syncsAll = true }
  }
}

extension WorkingTree {
  func sync(_ changed: ChangedDirectories) throws(WorkingTreeError) {
    if changed.syncsAll {
      let top = try root.again(Descriptor.readFlags, describing: directory)
      return try top.syncFileSystem(describing: directory)
    }
    for path in changed.paths { try sync(EntryNames(path)) }
  }

  /// A directory that is gone by now was removed from one that has changed, too.
  private func sync(_ names: EntryNames) throws(WorkingTreeError) {
    guard names.count > 0 else {
      return try root.again(Descriptor.readFlags, describing: directory)
        .sync(describing: directory)
    }
    let walk = try walk(to: names)
    guard walk.stop == nil else { return }
    let description = TreePath.quoted(names.last.path)
    switch try walk.directory.directory(names.last, Descriptor.readFlags) {
    case .directory(let directory): try directory.sync(describing: description)
    case .missing: break
    case .blocked: break
    }
  }
}
