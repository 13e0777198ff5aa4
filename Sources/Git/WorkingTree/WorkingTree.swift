package import GitModel
internal import Glibc

/// The files below a directory. No call goes through a symbolic link, and none reaches anything
/// outside.
///
/// Races with other programs can make a call fail, or replace what they write, but never lead it
/// out of the directory: every parent is opened relative to its own parent, without following
/// links.
package struct WorkingTree: ~Copyable {
  let root: Descriptor
  let directory: String

  /// The last name of `directory` may not be a link either.
  package init(opening directory: String) throws(WorkingTreeError) {
    let number = repeatWhileInterrupted { unsafe Glibc.open(directory, Descriptor.walkFlags) }
    guard number >= 0 else {
      throw .cannot(operation: "open", path: directory, code: errno)
    }
    self.directory = directory
    root = Descriptor(owning: number)
  }

  /// What is there now.
  package func find(_ path: TreePath) throws(WorkingTreeError) -> Found {
    let names = EntryNames(path)
    let walk = try walk(to: names)
    switch walk.stop {
    case .missing: return .nothing
    case .blocked: return .blockedByParent(names[walk.depth].treePath)
    case nil: break
    }
    guard let status = try walk.directory.status(names.last) else { return .nothing }
    if status.isRegular { return .file(status) }
    if status.isLink { return .symbolicLink(status) }
    guard status.isDirectory else { return .other }
    return .directory(isEmpty: try walk.directory.content(of: names.last, except: []) == nil)
  }

  /// What the index wants to know of a file or link; `nil` if there is neither.
  package func status(of path: TreePath) throws(WorkingTreeError) -> FileStatus? {
    switch try find(path) {
    case .file(let status), .symbolicLink(let status): status
    case .nothing, .directory, .other, .blockedByParent: nil
    }
  }
}

extension WorkingTree {
  /// The same, if it is still the file that was staged, and no program has written to it.
  package func status(
    of path: TreePath, ifStill file: StagedFile
  ) throws(WorkingTreeError) -> FileStatus? {
    guard let status = try status(of: path), status.isSameContent(as: file.status) else {
      return nil
    }
    return status
  }
}

/// How far a walk came from the top towards the directory that a path's last name is in.
struct ParentWalk: ~Copyable {
  enum Stop {
    case missing
    case blocked
  }

  /// The directory that was reached.
  let directory: Descriptor
  /// How many names lead to it.
  let depth: Int
  /// Why the next name led no further; `nil`: it is the one.
  let stop: Stop?
}

extension WorkingTree {
  func walk(to names: EntryNames) throws(WorkingTreeError) -> ParentWalk {
    var current = try root.again(Descriptor.walkFlags, describing: directory)
    for depth in 0..<names.count - 1 {
      switch try current.directory(names[depth]) {
      case .directory(let next): current = next
      case .missing: return ParentWalk(directory: current, depth: depth, stop: .missing)
      case .blocked: return ParentWalk(directory: current, depth: depth, stop: .blocked)
      }
    }
    return ParentWalk(directory: current, depth: names.count - 1, stop: nil)
  }
}
