import Git
import GitModel
import MessageFormat
import Patching
import WorkingTree

/// From changes of submodules' entries to changes of their files, through all levels.
struct SubmoduleExpansion {
  /// The path of a submodule in one repository, and what it has there before and after, which may be the same.
  struct Link {
    let path: TreePath
    let old: TreeEntry?
    let new: TreeEntry?
  }

  enum Purpose {
    /// What is there must be what the tree before says.
    case check
    /// A step is somewhere between its two ends: what could be there counts.
    case recovery
  }

  /// One side of a link, with the place of its repository.
  private struct Side {
    let name: SubmoduleName
    let directory: SubmoduleDirectory
    let commit: ObjectID
  }

  /// Two trees of one repository, and where its git directory is.
  private struct Level {
    let old: (tree: ObjectID, gitDirectory: String)?
    let new: (tree: ObjectID, gitDirectory: String)?
    let prefix: [UInt8]
    let depth: Int
    /// A file is in the place of the submodule that this level lies in: nothing can be below it yet.
    var isBelowFile = false
  }

  /// What the checkout's own trees are read from.
  private let outer: ObjectOverlay
  private let places: SubmodulePlaces
  private let limits: TreeLimits
  private let purpose: Purpose
  private let gitLink: (TreePath) throws -> GitLink
  private var result: SubmoduleChanges

  private init(
    _ outer: ObjectOverlay, _ places: SubmodulePlaces, _ limits: TreeLimits, _ purpose: Purpose,
    _ result: SubmoduleChanges,
    _ gitLink: @escaping (TreePath) throws -> GitLink
  ) {
    self.outer = outer
    (self.places, self.limits, self.purpose, self.gitLink) = (places, limits, purpose, gitLink)
    self.result = result
  }

  /// Throws `Refused`: for what is in the way, and for what `.gitmodules` must not say.
  static func expand(
    _ links: [Link], from old: ObjectID?, to new: ObjectID, in outer: ObjectOverlay,
    of repository: Repository, at places: SubmodulePlaces, incoming: QuarantinedPack?,
    limits: TreeLimits, for purpose: Purpose,
    gitLink: @escaping (TreePath) throws -> GitLink
  ) throws -> SubmoduleChanges {
    let objects = try ObjectDatabase(of: repository, [], incoming: incoming)
    var expansion = SubmoduleExpansion(
      outer, places, limits, purpose, SubmoduleChanges(objects: objects, incoming: incoming),
      gitLink)
    let directory = places.gitDirectory
    try expansion.expand(
      links,
      Level(old: old.map { ($0, directory) }, new: (new, directory), prefix: [], depth: 1))
    let steps = expansion.result.steps
    expansion.result.steps = steps.filter { $0.new == nil } + steps.filter { $0.new != nil }
    return expansion.result
  }

  private mutating func expand(_ links: [Link], _ level: Level) throws {
    guard !links.isEmpty else { return }
    guard level.depth <= SubmoduleList.depthMax else {
      throw Refused(
        .overLimit, "submodules lie inside submodules more than \(SubmoduleList.depthMax) deep")
    }
    let objects = level.depth == 1 ? outer : ObjectOverlay(over: result.objects)
    let oldList = try level.old.map { try Self.oldList(of: $0.tree, in: objects) } ?? .empty
    let newList = try level.new.map { try Self.newList(of: $0.tree, in: objects) } ?? .empty
    for link in links {
      let path = try Self.path(link.path, below: level.prefix)
      let old = try oldSide(of: link, oldList, level).flatMap {
        try isThere($0, at: path) ? $0 : nil
      }
      let new = try newSide(of: link, newList, level)
      // One that was never more than an id, and goes.
      if old == nil, new == nil { continue }
      if old == nil, let new { try requireFree(new, link, path, level) }
      if level.depth == 1 { result.handled.insert(path) }
      try expandFiles(link, at: path, from: old, to: new, level)
    }
  }

  // MARK: - Files

  private mutating func expandFiles(
    _ link: Link, at path: TreePath, from old: Side?, to new: Side?, _ level: Level
  ) throws {
    let objects = result.objects
    let oldTree = try old.map { try objects.commit($0.commit).tree }
    let target = try new.map { try self.target($0) }
    let oldFile = link.old?.mode == .submodule ? nil : link.old
    let newFile = link.new?.mode == .submodule ? nil : link.new
    if oldFile != newFile {
      result.files.append(TreeChange(path: path, old: oldFile, new: newFile))
    }
    var mixed: [TreePath: Link] = [:]
    let counted = try objects.countedChanges(from: oldTree, to: target?.tree, limits: limits)
    for change in counted.changes {
      if change.old?.mode == .submodule || change.new?.mode == .submodule {
        mixed[change.path] = Link(path: change.path, old: change.old, new: change.new)
        continue
      }
      result.files.append(
        TreeChange(
          path: try Self.path(change.path, below: path.bytes), old: change.old, new: change.new))
    }
    // Also those that stay as they are: what came is named by all of them.
    for inner in try objects.submoduleChanges(from: nil, to: target?.tree) {
      guard mixed[inner.path] == nil else { continue }
      mixed[inner.path] = Link(
        path: inner.path, old: oldTree == nil ? nil : inner.new, new: inner.new)
    }
    note(path, old, new, target)
    try expand(
      mixed.values.sorted { $0.path < $1.path },
      Level(
        old: old.flatMap { side in oldTree.map { ($0, side.directory.path) } },
        new: new.flatMap { side in target.map { ($0.tree, side.directory.path) } },
        prefix: path.bytes, depth: level.depth + 1,
        isBelowFile: level.isBelowFile || oldFile != nil))
  }

  private mutating func note(
    _ path: TreePath, _ old: Side?, _ new: Side?, _ target: SubmoduleStep.Target?
  ) {
    if let old, old.directory != new?.directory {
      result.steps.append(
        SubmoduleStep(
          path: path, name: old.name, directory: old.directory, old: old.commit, new: nil))
    }
    guard let new, let target else { return }
    let before = old?.directory == new.directory ? old?.commit : nil
    if before == target.commit, purpose == .check { return }
    result.steps.append(
      SubmoduleStep(path: path, name: new.name, directory: new.directory, old: before, new: target))
  }

  private mutating func target(_ side: Side) throws -> SubmoduleStep.Target {
    let objects = result.objects
    guard objects.contains(side.commit), try objects.header(side.commit).kind == .commit else {
      throw Refused(
        .invalidSubmodule,
        "the commit \(side.commit.abbreviated) of the submodule \(side.name) was not shipped")
    }
    result.named.insert(side.commit)
    return SubmoduleStep.Target(
      commit: side.commit, tree: try objects.commit(side.commit).tree)
  }

  private static func path(
    _ path: TreePath, below prefix: [UInt8]
  ) throws(Refused) -> TreePath {
    if prefix.isEmpty { return path }
    do throws(UnsafePath) {
      return try TreePath(prefix + [UInt8(ascii: "/")] + path.bytes)
    } catch {
      throw Refused(.unsafePath, "\(error)")
    }
  }

  // MARK: - Sides

  private func oldSide(of link: Link, _ list: SubmoduleList, _ level: Level) throws -> Side? {
    guard let entry = link.old, entry.mode == .submodule, let named = list.entries[link.path],
      let directory = level.old?.gitDirectory
    else { return nil }
    return try side(named, entry.id, below: directory)
  }

  private func newSide(of link: Link, _ list: SubmoduleList, _ level: Level) throws -> Side? {
    guard let entry = link.new, entry.mode == .submodule, let directory = level.new?.gitDirectory
    else { return nil }
    guard let named = list.entries[link.path] else {
      throw Refused(.invalidSubmodule, "\(link.path) has no entry in .gitmodules")
    }
    return try side(named, entry.id, below: directory)
  }

  /// Its objects, if there are any yet, are read from here on.
  private func side(
    _ entry: SubmoduleList.Entry, _ commit: ObjectID, below directory: String
  ) throws -> Side {
    let directory = SubmoduleDirectory(entry.name.path, below: directory)
    if try directory.standing == .ours { try result.objects.add(directory) }
    return Side(name: entry.name, directory: directory, commit: commit)
  }

  /// Throws where something is there that is not the submodule at this commit.
  private func isThere(_ side: Side, at path: TreePath) throws -> Bool {
    let isOurs = try side.directory.standing == .ours && result.objects.contains(side.commit)
    if purpose == .recovery { return isOurs }
    switch try gitLink(path) {
    case .emptyDirectory: return false
    case .file(places.link(to: side.directory, from: path)) where isOurs:
      guard try side.directory.head == .detached(side.commit) else {
        throw Refused(
          .localChanges,
          "the submodule \(path) is not at \(side.commit.abbreviated); run `git submodule update` there"
        )
      }
      return true
    default: throw Self.obstructed(path)
    }
  }

  private func requireFree(
    _ side: Side, _ link: Link, _ path: TreePath, _ level: Level
  ) throws {
    guard purpose == .check else { return }
    let isFile = link.old != nil && link.old?.mode != .submodule
    switch try gitLink(path) {
    case .emptyDirectory: break
    case .none where link.old == nil: break
    case .other where isFile || level.isBelowFile: break
    default: throw Self.obstructed(path)
    }
    switch try side.directory.standing {
    case .absent: break
    case .ours:
      guard try side.directory.head == .branch else { break }
      throw Refused(
        .localChanges, "the repository \(side.directory.path) is on a branch of its own")
    case .foreign:
      throw Refused(
        .localChanges, "\(side.directory.path) is a repository of someone else's; move it away")
    }
  }

  private static func obstructed(_ path: TreePath) -> Refused {
    Refused(
      .localChanges,
      "\(path) holds a repository or files that are not those of the submodule; move them away")
  }

  // MARK: - .gitmodules

  private static func newList(
    of tree: ObjectID, in objects: ObjectOverlay
  ) throws -> SubmoduleList {
    do throws(SubmoduleListError) {
      return try SubmoduleList(ofTree: tree, in: objects)
    } catch {
      switch error {
      case .flaw(let flaw): throw Refused(.invalidSubmodule, "\(flaw)")
      case .git(let error): throw error
      }
    }
  }

  /// A flawed `.gitmodules` was never followed: no submodule came from it.
  private static func oldList(
    of tree: ObjectID, in objects: ObjectOverlay
  ) throws -> SubmoduleList {
    do { return try newList(of: tree, in: objects) } catch is Refused { return .empty }
  }
}
