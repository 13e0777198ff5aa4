/// One pass over an old file and the hunks that change it.
struct TextApplication {
  private let old: [UInt8]
  private var result: [UInt8] = []
  /// Before it, every line of the old file was read; `line` of them.
  private var position = 0
  private var line = 0
  /// From here to `position` the old file is kept but not yet in the result: whole runs are copied
  /// at once.
  private var keptFrom = 0

  /// `hunks` are in the order and form that `FileSection` holds them to.
  static func apply(_ hunks: [Hunk], to old: [UInt8]) throws(ContentError) -> [UInt8] {
    var application = TextApplication(old: old)
    application.result.reserveCapacity(hunks.reduce(old.count) { $0 + $1.lines.count })
    for hunk in hunks { try application.apply(hunk) }
    application.position = old.count
    application.copyKept()
    return application.result
  }

  private init(old: [UInt8]) {
    self.old = old
  }

  private mutating func apply(_ hunk: Hunk) throws(ContentError) {
    while line < hunk.oldIndex {
      guard let newline = old[position...].position(of: UInt8(ascii: "\n")) else {
        throw .flaw(.tooShort)
      }
      position = newline + 1
      line += 1
    }
    var rest = hunk.lines
    while let sign = rest.popFirst() {
      let content = Self.takeLine(from: &rest)
      switch sign {
      case UInt8(ascii: "+"):
        copyKept()
        result.append(contentsOf: content)
      case UInt8(ascii: "-"):
        copyKept()
        try pass(content)
        keptFrom = position
      default:
        try pass(content)
      }
    }
    if hunk.reachesEnd && position != old.count { throw .flaw(.fileGoesOn) }
  }

  /// The line at the beginning of `rest`, with its newline unless the mark behind it says that it
  /// has none.
  private static func takeLine(from rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let newline = rest.position(of: UInt8(ascii: "\n")) else {
      preconditionFailure("a parsed hunk's lines end in newlines")
    }
    let content = rest[...newline]
    rest = rest[(newline + 1)...]
    guard rest.first == UInt8(ascii: "\\") else { return content }
    rest = rest.dropFirst(Hunk.endMarker.utf8.count)
    return content.dropLast()
  }

  /// Goes behind a line of the old file, which must be `content`.
  private mutating func pass(_ content: ArraySlice<UInt8>) throws(ContentError) {
    let end = position + content.count
    guard end <= old.count, old[position..<end].isSame(as: content) else {
      throw .flaw(.lineDiffers)
    }
    position = end
    line += 1
  }

  private mutating func copyKept() {
    guard keptFrom < position else { return }
    result.append(contentsOf: old[keptFrom..<position])
    keptFrom = position
  }
}
