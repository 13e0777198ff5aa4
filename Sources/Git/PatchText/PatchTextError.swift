package import GitModel

/// What is wrong with a patch; a peer's fault, never the machine's. No case carries text of the
/// patch.
package enum PatchTextError: Error, Equatable, CustomStringConvertible {
  case overLimit(PatchLimit, limit: Int, actual: Int)
  /// The bytes leave the grammar at `offset`.
  case notCanonical(PatchFlaw, offset: Int)
  case unsafePath(UnsafePath)
  /// A section that says two things at once, alone or together with another one.
  case contradictory(path: TreePath, SectionFlaw)
  case doesNotApply(path: TreePath, ApplyFlaw)

  package var description: String {
    switch self {
    case .overLimit(let what, let limit, let actual):
      "\(what.rawValue) is \(actual), over the limit of \(limit)"
    case .notCanonical(let flaw, let offset):
      "patch is not canonical at byte \(offset): \(flaw.rawValue)"
    case .unsafePath(let reason):
      reason.description
    case .contradictory(let path, let flaw):
      "patch of \(path) contradicts itself: \(flaw.rawValue)"
    case .doesNotApply(let path, let flaw):
      "patch of \(path) does not apply: \(flaw.rawValue)"
    }
  }
}

/// What `PatchLimits` bounds.
package enum PatchLimit: String, Sendable, CaseIterable {
  case patchBytes = "byte count of the patch"
  case sections = "count of sections"
  case paths = "count of paths"
  case hunks = "count of hunks"
  case pieceBytes = "byte count of a binary piece"
  case contentBytes = "byte count of a patched file"
}

/// Where the grammar was left.
package enum PatchFlaw: String, Sendable, CaseIterable {
  case truncated = "it ends in the middle of a section"
  case sectionHeader = "a section must begin here"
  case quoting = "a path is not quoted in the one canonical way"
  case secondPath = "the second path is not the first one"
  case modeLine = "a mode line has no mode or not its form"
  case indexLine = "the index line is missing or has not its form"
  case objectID = "an object id is not 40 digits"
  case zeroID = "an object id is zero on a side that is there, or not zero on one that is not"
  case nameLine = "a --- or +++ line is missing or names something else"
  case hunkHeader = "a hunk must begin here, with canonical numbers"
  case hunkLine = "a line of a hunk begins with no sign"
  case hunkCounts = "the lines of a hunk are not as many as its header says"
  case lineOrder = "a deleted line follows an added one"
  case contextLines = "a hunk has more lines of context than canonical"
  case hunkWithoutChange = "a hunk changes nothing"
  case misplacedEndMarker = "the mark of a missing newline stands where no file ends"
  case endMarker = "the mark of a missing newline has other words"
  case nul = "a line of a hunk has a NUL byte"
  case submoduleLine = "a submodule's line does not repeat its commit"
  case pieceHeader = "a binary piece must begin here, with a canonical size"
  case pieceLine = "a line of a binary piece has not its canonical length"
  case base85 = "a line of a binary piece is not canonical base 85"
}

/// What sections must not say, parsed or made.
package enum SectionFlaw: String, Sendable, CaseIterable {
  case nothing = "neither side is there"
  case sameSides = "both sides are the same"
  case typeChange = "a type change is not written as a deletion and an addition"
  case zeroID = "a side has the zero id"
  case unchangedContent = "content is missing although it changes"
  case sameContent = "content changes although both sides have one id"
  case submodule = "a submodule has content, or a file has a submodule's"
  case noHunk = "text changes without a hunk"
  case hunkOrder = "hunks overlap, touch, or stand in the wrong order"
  case hunkPosition = "a hunk's new position does not follow from its old one"
  case hunkContext = "a hunk inside a file has not three lines of context"
  case hunkAfterEnd = "a hunk follows the one that ends the file"
  case hunkSide = "a hunk has lines on a side that is not there"
  case emptyPiece = "a binary piece has no data or no size"
  case pieceSide = "a side that is not there has binary data"
  case order = "sections are repeated or not in canonical order"
  case pathInsideFile = "another section has a file where this path has a directory"
}

/// Why content is not what a patch was made from.
package enum ApplyFlaw: String, Error, Sendable, CaseIterable {
  case tooShort = "a hunk lies behind the end of the file"
  case lineDiffers = "a line of context or a deleted line differs"
  case fileGoesOn = "the file goes on where the patch has its end"
  case notDeflated = "a binary piece is no complete zlib stream, or more than one"
  case inflatedSize = "a binary piece inflates to another size than it says"
  case deltaBase = "a delta was made from a file of another size"
  case delta = "a delta is malformed"
  case reverse = "the reverse binary piece does not lead back"
  case submodule = "a submodule has no content here"
}
