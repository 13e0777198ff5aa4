package import GitModel

/// One directory, parsed from the raw bytes of a tree object.
///
/// What git reads is read as git does: any spelling of a mode (tree-walk.c, `canon_mode`), names in any
/// order; the items are in git's order, in which a directory's name counts as if it ended in a slash.
/// What no working copy could hold is refused: a name that stands twice, is empty, too long, or has a slash.
package struct Tree: Sendable {
  /// Where an item's parts lie in the bytes of its tree.
  package struct Item: Sendable {
    /// `nil`: a directory.
    package let mode: FileMode?
    let start: Int32
    let nameStart: Int32
    let nameEnd: Int32
    var idStart: Int { Int(nameEnd) + 1 }
    var end: Int { idStart + ObjectID.byteCount }
    package var isDirectory: Bool { mode == nil }
  }

  package let bytes: [UInt8]
  package let items: [Item]

  package static let empty = Tree(bytes: [], items: [])

  private init(bytes: [UInt8], items: [Item]) {
    self.bytes = bytes
    self.items = items
  }

  package init(bytes: [UInt8]) throws(GitError) {
    guard bytes.count <= Int32.max else { throw .malformedTree(reason: "has more than 2 GiB") }
    var items = try Self.parsed(bytes)
    if !Self.isInOrder(items, bytes) {
      items.sort { Self.order(bytes, $0, bytes, $1) < 0 }
    }
    self.init(bytes: bytes, items: items)
    try checkNames()
  }

  package func name(of item: Item) -> ArraySlice<UInt8> {
    bytes[Int(item.nameStart)..<Int(item.nameEnd)]
  }

  package func id(of item: Item) -> ObjectID {
    guard let id = ObjectID(bytes: bytes[item.idStart..<item.end]) else {
      preconditionFailure("a parsed item has its id")
    }
    return id
  }

  /// `nil` for a directory.
  package func entry(of item: Item) -> TreeEntry? {
    guard let mode = item.mode else { return nil }
    return TreeEntry(mode: mode, id: id(of: item))
  }

  package func item(named name: ArraySlice<UInt8>) -> Item? {
    // A file and a directory of one name stand at different places, so both are looked for.
    for isDirectory in [false, true] {
      var range = items.startIndex..<items.endIndex
      while !range.isEmpty {
        let middle = (range.lowerBound + range.upperBound) / 2
        let item = items[middle]
        let order = Self.order(
          bytes, item, name, isDirectory: isDirectory)
        if order == 0 { return item }
        range = order < 0 ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
      }
    }
    return nil
  }
}

// MARK: - Parsing

extension Tree {
  private static let nameByteCountMax = 255  // NAME_MAX, limits.h: no checkout could hold more
  /// Of a mode, which git pads with nothing and others with zeros.
  private static let digitCountMax = 32

  private static func parsed(_ bytes: [UInt8]) throws(GitError) -> [Item] {
    var items: [Item] = []
    let span = bytes.span
    var position = 0
    while position < span.count {
      let start = position
      var mode: UInt32 = 0
      while position < span.count, span[position] != UInt8(ascii: " ") {
        let digit = span[position] &- UInt8(ascii: "0")
        guard digit < 8, position - start < digitCountMax, mode < 1 << 29 else {
          throw .malformedTree(reason: "has a mode that is no octal number")
        }
        mode = mode << 3 | UInt32(digit)
        position += 1
      }
      guard position > start else { throw .malformedTree(reason: "has an entry without a mode") }
      position += 1
      let nameStart = position
      while position < span.count, span[position] != 0 { position += 1 }
      guard position + 1 + ObjectID.byteCount <= span.count else {
        throw .malformedTree(reason: "ends inside an entry")
      }
      let item = Item(
        mode: fileMode(mode), start: Int32(start), nameStart: Int32(nameStart),
        nameEnd: Int32(position))
      try checkName(bytes[nameStart..<position])
      items.append(item)
      position = item.end
    }
    return items
  }

  private static func checkName(_ name: ArraySlice<UInt8>) throws(GitError) {
    guard !name.isEmpty else { throw .malformedTree(reason: "has an entry without a name") }
    guard name.count <= nameByteCountMax else {
      throw .malformedTree(
        reason: "has a name of \(name.count) bytes, \(nameByteCountMax) are allowed")
    }
    guard !name.contains(UInt8(ascii: "/")) else {
      throw .malformedTree(reason: "has a slash in the name \(TreePath.quoted(name))")
    }
  }

  /// `nil`: a directory. What is of no other kind, git takes for a submodule.
  private static func fileMode(_ mode: UInt32) -> FileMode? {
    switch mode & 0o170000 {
    case 0o040000: nil
    case 0o100000: mode & 0o100 == 0 ? .regular : .executable
    case 0o120000: .symbolicLink
    default: .submodule
    }
  }

  private static func isInOrder(_ items: [Item], _ bytes: [UInt8]) -> Bool {
    items.indices.dropFirst().allSatisfy {
      order(bytes, items[$0 - 1], bytes, items[$0]) < 0
    }
  }

  private func checkNames() throws(GitError) {
    for index in items.indices.dropFirst() {
      guard Self.order(bytes, items[index - 1], bytes, items[index]) < 0 else {
        throw twice(items[index])
      }
      if items[index].isDirectory { try checkNoFile(namedLike: index) }
    }
  }

  /// Between the file `a` and the directory `a` only names stand that begin with `a`.
  private func checkNoFile(namedLike index: Int) throws(GitError) {
    let name = name(of: items[index])
    for earlier in items[..<index].reversed() {
      let earlierName = self.name(of: earlier)
      guard earlierName.starts(with: name) else { return }
      if earlierName.count == name.count { throw twice(earlier) }
    }
  }

  private func twice(_ item: Item) -> GitError {
    .malformedTree(reason: "has the name \(TreePath.quoted(name(of: item))) twice")
  }
}

// MARK: - git's order

extension Tree {
  /// Negative, zero or positive, as the left item comes before, at the place of, or after the right
  /// one.
  static func order(_ left: [UInt8], _ item: Item, _ right: [UInt8], _ other: Item) -> Int {
    let (left, right) = (left.span, right.span)
    var (at, otherAt) = (Int(item.nameStart), Int(other.nameStart))
    let (end, otherEnd) = (Int(item.nameEnd), Int(other.nameEnd))
    while at < end, otherAt < otherEnd {
      let (byte, otherByte) = (left[at], right[otherAt])
      if byte != otherByte { return Int(byte) - Int(otherByte) }
      at += 1
      otherAt += 1
    }
    // Past its end a directory's name goes on with a slash, and any name with a NUL byte.
    let byte = at < end ? left[at] : endMark(item.isDirectory)
    let otherByte = otherAt < otherEnd ? right[otherAt] : endMark(other.isDirectory)
    return Int(byte) - Int(otherByte)
  }

  static func order(
    _ bytes: [UInt8], _ item: Item, _ name: ArraySlice<UInt8>, isDirectory: Bool
  ) -> Int {
    let (left, right) = (bytes.span, name.span)
    var (at, otherAt) = (Int(item.nameStart), 0)
    let end = Int(item.nameEnd)
    while at < end, otherAt < right.count {
      let (byte, otherByte) = (left[at], right[otherAt])
      if byte != otherByte { return Int(byte) - Int(otherByte) }
      at += 1
      otherAt += 1
    }
    let byte = at < end ? left[at] : endMark(item.isDirectory)
    let otherByte = otherAt < right.count ? right[otherAt] : endMark(isDirectory)
    return Int(byte) - Int(otherByte)
  }

  private static func endMark(_ isDirectory: Bool) -> UInt8 {
    isDirectory ? UInt8(ascii: "/") : 0
  }

  /// Whether both items have the same id; their bytes are compared where they lie.
  static func isSameID(_ left: [UInt8], _ item: Item, _ right: [UInt8], _ other: Item) -> Bool {
    let (left, right) = (left.span, right.span)
    for offset in 0..<ObjectID.byteCount
    where left[item.idStart + offset] != right[other.idStart + offset] {
      return false
    }
    return true
  }
}
