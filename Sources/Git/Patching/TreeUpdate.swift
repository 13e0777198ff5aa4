import Git
import GitModel
import PatchText

/// The sections of a patch, hung up at the names that they change.
private struct Node {
  /// What the path no longer is; a type change has an addition beside it.
  var deletion: FileSection?
  /// What the path becomes.
  var arrival: FileSection?
  var children: [ArraySlice<UInt8>: Node] = [:]

  mutating func insert(_ section: FileSection, below names: ArraySlice<ArraySlice<UInt8>>) {
    guard let name = names.first else {
      if section.new == nil {
        deletion = section
      } else {
        arrival = section
      }
      return
    }
    children[name, default: Node()].insert(section, below: names.dropFirst())
  }
}

/// One patch on its way into a tree: the directories that change are written anew from the bottom
/// up, everything else keeps its id unread.
struct TreeUpdate {
  let limits: PatchingLimits
  private var contentByteCount = 0

  init(limits: PatchingLimits) { self.limits = limits }

  mutating func apply(
    _ sections: [FileSection], to base: ObjectID?, in overlay: inout ObjectOverlay
  ) throws(PatchingError) -> ObjectID {
    var root = Node()
    for section in sections {
      let names = section.path.components
      guard names.count <= limits.depthMax else {
        throw .tooDeep(path: section.path, depthMax: limits.depthMax)
      }
      root.insert(section, below: names[...])
    }
    if root.children.isEmpty, let base { return base }
    if let tree = try directory(root, base, &overlay) { return tree }
    return try Self.git { () throws(GitError) in try overlay.add(.tree, []) }
  }

  /// `nil` when nothing is left in the directory.
  private mutating func directory(
    _ node: Node, _ base: ObjectID?, _ overlay: inout ObjectOverlay
  ) throws(PatchingError) -> ObjectID? {
    let tree = try Self.tree(base, overlay)
    var edits: [TreeEdit] = []
    edits.reserveCapacity(node.children.count)
    for (name, child) in node.children {
      let target = try target(of: child, tree, tree.item(named: name), &overlay)
      edits.append(TreeEdit(name: name, target: target))
    }
    let bytes = tree.edited(edits)
    if bytes.isEmpty { return nil }
    return try Self.git { () throws(GitError) in try overlay.add(.tree, bytes) }
  }

  private mutating func target(
    of node: Node, _ tree: Tree, _ item: Tree.Item?, _ overlay: inout ObjectOverlay
  ) throws(PatchingError) -> TreeEdit.Target {
    var entry = item.flatMap(tree.entry)
    var directoryID = item.flatMap { $0.isDirectory ? tree.id(of: $0) : nil }
    if let deletion = node.deletion {
      try Self.check(deletion, against: entry)
      _ = try content(of: deletion, &overlay)
      entry = nil
    }
    if !node.children.isEmpty {
      // A file must have gone before there can be something below its name.
      if entry != nil { throw .blocked(path: Self.anyPath(below: node)) }
      directoryID = try directory(node, directoryID, &overlay)
    }
    if let arrival = node.arrival {
      if directoryID != nil && arrival.old == nil { throw .blocked(path: arrival.path) }
      try Self.check(arrival, against: entry)
      entry = try newEntry(of: arrival, &overlay)
    }
    if let entry { return .entry(entry) }
    return directoryID.map(TreeEdit.Target.directory) ?? .nothing
  }

  private mutating func newEntry(
    of section: FileSection, _ overlay: inout ObjectOverlay
  ) throws(PatchingError) -> TreeEntry? {
    guard let new = section.new else { return nil }
    if new.mode == .submodule || section.old?.id == new.id { return new }
    let content = try content(of: section, &overlay)
    contentByteCount += content.count
    guard contentByteCount <= limits.contentByteCountMax else {
      throw .tooMuchContent(byteCountMax: limits.contentByteCountMax)
    }
    let actual = try Self.git { () throws(GitError) in try overlay.add(.blob, content) }
    guard actual == new.id else {
      throw .contentDiffers(path: section.path, expected: new.id, actual: actual)
    }
    return new
  }

  /// What the section makes of the old content; for a deletion, only whether it is the right one.
  private func content(
    of section: FileSection, _ overlay: inout ObjectOverlay
  ) throws(PatchingError) -> [UInt8] {
    if section.content == .submodule { return [] }
    var old: [UInt8] = []
    if let entry = section.old {
      old = try Self.git { () throws(GitError) in
        try overlay.read(entry.id, .blob, byteCountMax: limits.fileByteCountMax)
      }
    }
    do throws(PatchTextError) {
      return try section.apply(to: old, byteCountMax: limits.fileByteCountMax)
    } catch {
      throw .text(error)
    }
  }

  private static func check(
    _ section: FileSection, against actual: TreeEntry?
  ) throws(PatchingError) {
    guard section.old == actual else {
      throw .baseDiffers(path: section.path, expected: section.old, actual: actual)
    }
  }

  private static func anyPath(below node: Node) -> TreePath {
    var node = node
    while let child = node.children.values.first { node = child }
    guard let path = (node.arrival ?? node.deletion)?.path else {
      preconditionFailure("every branch ends in a section")
    }
    return path
  }

  private static func tree(
    _ id: ObjectID?, _ overlay: ObjectOverlay
  ) throws(PatchingError) -> Tree {
    guard let id else { return .empty }
    return try git { () throws(GitError) in try Tree(bytes: overlay.read(id, .tree)) }
  }

  private static func git<Value>(
    _ body: () throws(GitError) -> Value
  ) throws(PatchingError) -> Value {
    do throws(GitError) {
      return try body()
    } catch {
      throw .git(error)
    }
  }
}
