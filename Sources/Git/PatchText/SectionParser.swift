import GitModel

/// Reads sections, one after the other, in exactly the form in which `FileSection.print` writes
/// them.
struct SectionParser {
  private var reader: ByteReader
  private let limits: PatchLimits
  private var hunkCount = 0

  init(_ bytes: [UInt8], limits: PatchLimits) {
    reader = ByteReader(bytes)
    self.limits = limits
  }

  var isAtEnd: Bool { reader.isAtEnd }

  mutating func section() throws(PatchTextError) -> FileSection {
    let name = try header()
    let (old, new) = try entries()
    return try FileSection(
      path: name.path, old: old, new: new, content: try content(name, old: old, new: new))
  }

  /// A path and where its spelling stands, to compare the other places with.
  private struct Name {
    let path: TreePath
    let spelling: Range<Int>
  }

  private mutating func header() throws(PatchTextError) -> Name {
    try reader.expect("diff --git ", or: .sectionHeader)
    try reader.expect("\"a/", or: .quoting)
    let start = reader.offset
    let path = try path(of: try unquoted())
    let spelling = start..<reader.offset
    try reader.expect("\" \"b/", or: .quoting)
    try reader.expectCopy(of: spelling, or: .secondPath)
    try reader.expect("\"\n", or: .secondPath)
    return Name(path: path, spelling: spelling)
  }

  private func path(of bytes: [UInt8]) throws(PatchTextError) -> TreePath {
    do throws(UnsafePath) {
      return try TreePath(bytes)
    } catch {
      throw .unsafePath(error)
    }
  }

  /// The bytes up to a closing quote; an escape where none is due, or none where one is, is
  /// refused.
  private mutating func unquoted() throws(PatchTextError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = reader.next, byte != UInt8(ascii: "\"") {
      switch byte {
      case UInt8(ascii: "\\"):
        bytes.append(try escaped())
      case 0x20...0x7e:
        bytes.append(try reader.takeByte())
      default:
        throw reader.flaw(.quoting)
      }
      // The path is too long already; reading on would only cost.
      if bytes.count > TreePath.byteCountMax { break }
    }
    return bytes
  }

  private mutating func escaped() throws(PatchTextError) -> UInt8 {
    if reader.skip("\\\\") { return UInt8(ascii: "\\") }
    if reader.skip("\\\"") { return UInt8(ascii: "\"") }
    let offset = reader.offset
    var value: UInt16 = 0
    for digit in try reader.take(4).dropFirst() {
      guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else {
        throw .notCanonical(.quoting, offset: offset)
      }
      value = value << 3 | UInt16(digit - UInt8(ascii: "0"))
    }
    guard let byte = UInt8(exactly: value), !(0x20...0x7e).contains(byte) else {
      throw .notCanonical(.quoting, offset: offset)
    }
    return byte
  }

  private mutating func content(
    _ name: Name, old: TreeEntry?, new: TreeEntry?
  ) throws(PatchTextError) -> FileSection.Content {
    if (old ?? new)?.mode == .submodule {
      try names(name, old: old, new: new)
      let section = try FileSection(path: name.path, old: old, new: new, content: .submodule)
      try reader.expect(section.submoduleHunk, or: .submoduleLine)
      return .submodule
    }
    if reader.has("--- ") {
      try names(name, old: old, new: new)
      return .text(try hunks())
    }
    guard reader.skip("GIT binary patch\n") else { return .unchanged }
    return .binary(forward: try piece(), reverse: try piece())
  }

  private mutating func names(
    _ name: Name, old: TreeEntry?, new: TreeEntry?
  ) throws(PatchTextError) {
    for (start, entry, side) in [("--- ", old, "\"a/"), ("+++ ", new, "\"b/")] {
      try reader.expect(start, or: .nameLine)
      if entry == nil {
        try reader.expect("/dev/null\n", or: .nameLine)
      } else {
        try reader.expect(side, or: .nameLine)
        try reader.expectCopy(of: name.spelling, or: .nameLine)
        try reader.expect("\"\n", or: .nameLine)
      }
    }
  }

  private mutating func hunks() throws(PatchTextError) -> [Hunk] {
    var hunks: [Hunk] = []
    repeat {
      hunkCount += 1
      try PatchLimit.hunks.check(hunkCount, limits.hunkCountMax)
      hunks.append(try HunkParser.hunk(from: &reader))
    } while reader.next == UInt8(ascii: "@")
    return hunks
  }

  private mutating func piece() throws(PatchTextError) -> BinaryPiece {
    let kind: BinaryPiece.Kind = reader.skip("delta ") ? .delta : .literal
    if kind == .literal { try reader.expect("literal ", or: .pieceHeader) }
    let byteCount = try reader.number(or: .pieceHeader)
    try PatchLimit.pieceBytes.check(byteCount, limits.pieceByteCountMax)
    try reader.expect("\n", or: .pieceHeader)
    let deflated = try Base85.parse(from: &reader)
    try reader.expect("\n", or: .pieceLine)
    return BinaryPiece(kind: kind, inflatedByteCount: byteCount, deflated: deflated)
  }
}

// The lines between the header and the content: modes and ids.
extension SectionParser {
  private mutating func entries() throws(PatchTextError) -> (old: TreeEntry?, new: TreeEntry?) {
    if reader.skip("deleted file mode ") {
      let mode = try modeLine()
      return (try ids(hasNew: false).old.map { TreeEntry(mode: mode, id: $0) }, nil)
    }
    if reader.skip("new file mode ") {
      let mode = try modeLine()
      return (nil, try ids(hasOld: false).new.map { TreeEntry(mode: mode, id: $0) })
    }
    return try entriesOfBothSides()
  }

  private mutating func entriesOfBothSides() throws(PatchTextError) -> (TreeEntry?, TreeEntry?) {
    guard reader.skip("old mode ") else {
      let ids = try ids(endingIn: " ")
      let mode = try modeLine()
      return (
        ids.old.map { TreeEntry(mode: mode, id: $0) }, ids.new.map { TreeEntry(mode: mode, id: $0) }
      )
    }
    let before = try modeLine()
    try reader.expect("new mode ", or: .modeLine)
    let start = reader.offset
    let after = try modeLine()
    guard before != after else { throw .notCanonical(.modeLine, offset: start) }
    let ids = try ids()
    return (
      ids.old.map { TreeEntry(mode: before, id: $0) },
      ids.new.map { TreeEntry(mode: after, id: $0) }
    )
  }

  private mutating func modeLine() throws(PatchTextError) -> FileMode {
    let start = reader.offset
    guard let mode = FileMode(octal: try reader.take(6)) else {
      throw .notCanonical(.modeLine, offset: start)
    }
    try reader.expect("\n", or: .modeLine)
    return mode
  }

  /// The index line; a side that is not there has the zero id, and only that side.
  private mutating func ids(
    hasOld: Bool = true, hasNew: Bool = true, endingIn end: String = "\n"
  ) throws(PatchTextError) -> (old: ObjectID?, new: ObjectID?) {
    try reader.expect("index ", or: .indexLine)
    let old = try id(isThere: hasOld)
    try reader.expect("..", or: .indexLine)
    let new = try id(isThere: hasNew)
    try reader.expect(end, or: .indexLine)
    return (old, new)
  }

  private mutating func id(isThere: Bool) throws(PatchTextError) -> ObjectID? {
    let start = reader.offset
    guard let id = ObjectID(hexBytes: try reader.take(2 * ObjectID.byteCount)) else {
      throw .notCanonical(.objectID, offset: start)
    }
    guard id.isZero != isThere else { throw .notCanonical(.zeroID, offset: start) }
    return isThere ? id : nil
  }
}
