package import Git
package import GitModel
import LargeFiles

/// The large files of a tree: paths whose attribute `filter` is `lfs` and whose blob is a pointer.
package struct TreeLargeFiles {
  /// A larger `.gitattributes` counts as none.
  private static let attributesByteCountMax = 8 << 20
  private static let attributesName = Array(".gitattributes".utf8)

  private let objects: ObjectOverlay
  private var attributes: FilterAttributes<GitError>

  package init(of tree: ObjectID, in objects: ObjectOverlay) {
    self.objects = objects
    attributes = FilterAttributes { directory throws(GitError) in
      try Self.attributes(of: directory, below: tree, in: objects)
    }
  }

  package init(of tree: ObjectID, in objects: ObjectDatabase) {
    self.init(of: tree, in: ObjectOverlay(over: objects))
  }

  /// `entry` is what the tree has at the path; `nil`: no large file.
  package mutating func pointer(
    at path: TreePath, _ entry: TreeEntry?
  ) throws(GitError) -> LargeFilePointer? {
    guard let entry, let pointer = try objects.largeFilePointer(of: entry) else { return nil }
    return try attributes.isLarge(path.bytes) ? pointer : nil
  }

  /// Those at the new sides of changes that lead to the tree.
  package mutating func pointers(
    at changes: some Sequence<TreeChange>
  ) throws(GitError) -> [TreePath: LargeFilePointer] {
    var pointers: [TreePath: LargeFilePointer] = [:]
    for change in changes { pointers[change.path] = try pointer(at: change.path, change.new) }
    return pointers
  }

  private static func attributes(
    of directory: [UInt8], below root: ObjectID, in objects: ObjectOverlay
  ) throws(GitError) -> [UInt8]? {
    var id = root
    for name in directory.split(separator: UInt8(ascii: "/")) {
      let tree = try Tree(bytes: objects.read(id, .tree))
      guard let item = tree.item(named: name), item.isDirectory else { return nil }
      id = tree.id(of: item)
    }
    let tree = try Tree(bytes: objects.read(id, .tree))
    // git follows no link here.
    guard let item = tree.item(named: attributesName[...]), let entry = tree.entry(of: item),
      entry.mode.isFile, try objects.header(entry.id).byteCount <= attributesByteCountMax
    else { return nil }
    return try objects.read(entry.id, .blob)
  }
}

extension ObjectOverlay {
  /// What the content of an entry says, whatever the attributes of its path.
  package func largeFilePointer(of entry: TreeEntry) throws(GitError) -> LargeFilePointer? {
    guard entry.mode.isFile else { return nil }
    let header = try header(entry.id)
    guard header.kind == .blob, header.byteCount <= LargeFilePointer.textByteCountMax else {
      return nil
    }
    return LargeFilePointer(try read(entry.id, .blob))
  }
}

extension FileMode {
  fileprivate var isFile: Bool { self == .regular || self == .executable }
}
