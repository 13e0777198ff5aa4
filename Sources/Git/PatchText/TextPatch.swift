import GitModel

/// A patch in git's own format, in a strict subset of it that has exactly one spelling: `git apply
/// --binary` accepts what is printed, and what is parsed prints to the same bytes.
///
/// Every path is quoted, every id has 40 digits, hunks have three lines of context, binary changes
/// their data in both directions; no renames, no copies, a type change is a deletion and an
/// addition. Canonical order: first all deletions, then everything else, both by the bytes of their
/// paths. Applied section after section, there is then room for a file where a directory was, for
/// a directory where a file was, and for every change of type.
package struct TextPatch: Equatable, Sendable {
  package let sections: [FileSection]

  /// Puts the sections into canonical order. Throws `contradictory` where two of them do not fit
  /// together.
  package init(_ sections: some Sequence<FileSection>) throws(PatchTextError) {
    self.sections = sections.sorted(by: Self.isInOrder)
    try Self.checkOrder(of: self.sections)
  }

  /// Reads what `printed` writes, and nothing else; no bytes are a patch without sections.
  package init(parsing bytes: [UInt8], limits: PatchLimits) throws(PatchTextError) {
    try PatchLimit.patchBytes.check(bytes.count, limits.patchByteCountMax)
    var parser = SectionParser(bytes, limits: limits)
    var sections: [FileSection] = []
    while !parser.isAtEnd {
      try PatchLimit.sections.check(sections.count + 1, limits.sectionCountMax)
      sections.append(try parser.section())
    }
    try Self.checkOrder(of: sections)
    self.sections = sections
  }

  package func printed() -> [UInt8] {
    var text: [UInt8] = []
    for section in sections { section.print(to: &text) }
    return text
  }

  private static func isInOrder(_ left: FileSection, _ right: FileSection) -> Bool {
    let isDeletion = (left: left.new == nil, right: right.new == nil)
    return isDeletion.left == isDeletion.right ? left.path < right.path : isDeletion.left
  }

  private static func checkOrder(of sections: [FileSection]) throws(PatchTextError) {
    for (left, right) in zip(sections, sections.dropFirst()) where !isInOrder(left, right) {
      throw .contradictory(path: right.path, .order)
    }
    let additions = sections.firstIndex { $0.new != nil } ?? sections.endIndex
    try checkTypeChanges(deleted: sections[..<additions], other: sections[additions...])
    try checkDirectories(of: sections.filter { $0.old != nil }.map(\.path))
    try checkDirectories(of: sections.filter { $0.new != nil }.map(\.path))
  }

  /// A path that is deleted may only come back as another type.
  private static func checkTypeChanges(
    deleted: ArraySlice<FileSection>, other: ArraySlice<FileSection>
  ) throws(PatchTextError) {
    var candidates = other
    for deletion in deleted {
      candidates = candidates.drop { $0.path < deletion.path }
      guard let addition = candidates.first, addition.path == deletion.path else { continue }
      guard addition.old == nil, let old = deletion.old, let new = addition.new,
        old.mode.objectType != new.mode.objectType
      else { throw .contradictory(path: deletion.path, .order) }
    }
  }

  /// No tree holds a file and, under the same path, a directory.
  private static func checkDirectories(of paths: [TreePath]) throws(PatchTextError) {
    guard paths.count > 1 else { return }
    let sorted = paths.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
    for path in paths {
      let directory = path.bytes + [UInt8(ascii: "/")]
      var bounds = 0..<sorted.count
      while !bounds.isEmpty {
        let middle = bounds.lowerBound + bounds.count / 2
        let precedes = sorted[middle].lexicographicallyPrecedes(directory)
        bounds = precedes ? middle + 1..<bounds.upperBound : bounds.lowerBound..<middle
      }
      let index = bounds.lowerBound
      if index < sorted.count, sorted[index].starts(with: directory) {
        throw .contradictory(path: path, .pathInsideFile)
      }
    }
  }
}
