import GitModel

/// A run of changed lines with their context, as `diff -u` writes it, with git's three lines of
/// context.
///
/// A hunk only exists parsed: its lines agree with its numbers, begin with a space, a minus or a
/// plus, hold no NUL, delete before they add, and have the context that git would give them.
package struct Hunk: Equatable, Sendable {
  /// The first line, counted from 1; 0 when `oldCount` is 0.
  package let oldStart: Int
  package let oldCount: Int
  package let newStart: Int
  package let newCount: Int
  /// The body: each line with its sign and newline, and the mark of a missing newline where a file
  /// ends without.
  package let lines: ArraySlice<UInt8>

  static let contextCount = 3
  static let endMarker = "\\ No newline at end of file\n"

  let shape: Shape

  /// What the body says about its own edges.
  struct Shape: Equatable, Sendable {
    var leadingContext = 0
    var trailingContext = 0
    /// A last line without newline stands on the old or the new side.
    var endsFile = false
  }

  /// The lines before the hunk, on either side.
  var oldIndex: Int { oldCount == 0 ? 0 : oldStart - 1 }
  var newIndex: Int { newCount == 0 ? 0 : newStart - 1 }

  /// Whether the old file must end where the hunk does.
  var reachesEnd: Bool { shape.endsFile || shape.trailingContext < Self.contextCount }

  /// Hunks as git and libgit2 print them, one after the other and nothing else; what they write
  /// behind the second `@@`, the function a hunk stands in, is dropped.
  package static func hunks(fromBody body: [UInt8]) throws(PatchTextError) -> [Hunk] {
    var reader = ByteReader(body)
    var hunks: [Hunk] = []
    while !reader.isAtEnd {
      hunks.append(try HunkParser.hunk(from: &reader, allowingFunction: true))
    }
    return hunks
  }

  /// Whether hunks can stand together and in this order in one section.
  static func flaw(in hunks: [Hunk]) -> SectionFlaw? {
    guard let first = hunks.first else { return .noHunk }
    if first.oldIndex != first.newIndex { return .hunkPosition }
    if first.shape.leadingContext < contextCount && first.oldIndex > 0 { return .hunkContext }
    for (before, after) in zip(hunks, hunks.dropFirst()) {
      if before.shape.endsFile { return .hunkAfterEnd }
      // Between two hunks lies a line that neither shows, or git would have made them one.
      let gap = after.oldIndex - (before.oldIndex + before.oldCount)
      if gap < 1 { return .hunkOrder }
      if after.newIndex - (before.newIndex + before.newCount) != gap { return .hunkPosition }
      if before.shape.trailingContext < contextCount { return .hunkContext }
      if after.shape.leadingContext < contextCount { return .hunkContext }
    }
    return nil
  }
}
