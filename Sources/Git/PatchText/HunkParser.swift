/// Reads one hunk and holds its body against its header.
struct HunkParser {
  private var oldLeft: Int
  private var newLeft: Int
  private var shape = Hunk.Shape()
  /// Lines of context since the hunk's beginning or its last change.
  private var contextRun = 0
  private var hasChange = false
  private var lastSign: UInt8 = 0

  private static let context = UInt8(ascii: " ")
  private static let deleted = UInt8(ascii: "-")
  private static let added = UInt8(ascii: "+")
  private static let newline = UInt8(ascii: "\n")

  /// `allowingFunction`: text behind the second `@@` is read over instead of refused.
  static func hunk(
    from reader: inout ByteReader, allowingFunction: Bool = false
  ) throws(PatchTextError) -> Hunk {
    try reader.expect("@@ -", or: .hunkHeader)
    let old = try range(from: &reader)
    try reader.expect(" +", or: .hunkHeader)
    let new = try range(from: &reader)
    try reader.expect(" @@", or: .hunkHeader)
    if allowingFunction, reader.next == context {
      _ = try reader.finishLine()
    } else {
      try reader.expect("\n", or: .hunkHeader)
    }
    let start = reader.offset
    var parser = HunkParser(oldLeft: old.count, newLeft: new.count)
    let shape = try parser.body(from: &reader)
    let lines = start..<reader.offset
    if let nul = reader.bytes[lines].position(of: 0) {
      throw .notCanonical(.nul, offset: nul)
    }
    return Hunk(
      oldStart: old.start, oldCount: old.count, newStart: new.start, newCount: new.count,
      lines: reader.bytes[lines], shape: shape)
  }

  /// `start` or `start,count`; a count of 1 is never written, and only an empty side starts at line
  /// 0.
  private static func range(
    from reader: inout ByteReader
  ) throws(PatchTextError) -> (start: Int, count: Int) {
    let start = try reader.number(or: .hunkHeader)
    guard reader.skip(",") else {
      guard start > 0 else { throw reader.flaw(.hunkHeader) }
      return (start, 1)
    }
    let count = try reader.number(or: .hunkHeader)
    guard count != 1, (count == 0) == (start == 0) else { throw reader.flaw(.hunkHeader) }
    return (start, count)
  }

  private init(oldLeft: Int, newLeft: Int) {
    self.oldLeft = oldLeft
    self.newLeft = newLeft
  }

  private mutating func body(from reader: inout ByteReader) throws(PatchTextError) -> Hunk.Shape {
    while oldLeft > 0 || newLeft > 0 {
      let start = reader.offset
      if let flaw = count(try reader.takeByte()) { throw .notCanonical(flaw, offset: start) }
      let newline = try reader.finishLine()
      if reader.next == UInt8(ascii: "\\") {
        try endFile(afterEmptyLine: newline == start + 1, in: &reader)
      }
    }
    guard hasChange else { throw .notCanonical(.hunkWithoutChange, offset: reader.offset) }
    guard contextRun <= Hunk.contextCount else {
      throw .notCanonical(.contextLines, offset: reader.offset)
    }
    shape.trailingContext = contextRun
    return shape
  }

  /// Takes a line into account by its sign.
  private mutating func count(_ sign: UInt8) -> PatchFlaw? {
    switch sign {
    case Self.context:
      guard oldLeft > 0, newLeft > 0 else { return .hunkCounts }
      oldLeft -= 1
      newLeft -= 1
      contextRun += 1
      // Changes further apart than twice the context stand in two hunks.
      let contextMax = hasChange ? 2 * Hunk.contextCount : Hunk.contextCount
      if contextRun > contextMax { return .contextLines }
    case Self.deleted:
      guard oldLeft > 0 else { return .hunkCounts }
      if lastSign == Self.added { return .lineOrder }
      oldLeft -= 1
      change()
    case Self.added:
      guard newLeft > 0 else { return .hunkCounts }
      newLeft -= 1
      change()
    default:
      return .hunkLine
    }
    lastSign = sign
    return nil
  }

  private mutating func change() {
    if !hasChange { shape.leadingContext = contextRun }
    hasChange = true
    contextRun = 0
  }

  /// Reads the mark that the line before it has no newline: the last one of its side, and not an
  /// empty one.
  private mutating func endFile(
    afterEmptyLine isEmpty: Bool, in reader: inout ByteReader
  ) throws(PatchTextError) {
    let start = reader.offset
    try reader.expect(Hunk.endMarker, or: .endMarker)
    let isLastOfOld = lastSign == Self.added || oldLeft == 0
    let isLastOfNew = lastSign == Self.deleted || newLeft == 0
    guard !isEmpty, isLastOfOld, isLastOfNew else {
      throw .notCanonical(.misplacedEndMarker, offset: start)
    }
    shape.endsFile = true
  }
}
