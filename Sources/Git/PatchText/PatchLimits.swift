/// What parsing may cost. The length of a path is bounded by `TreePath`, that of a line by the
/// patch.
package struct PatchLimits: Equatable, Sendable {
  package let patchByteCountMax: Int
  package let sectionCountMax: Int
  /// In all sections together.
  package let hunkCountMax: Int
  /// What one binary piece may inflate to, be it a file or a delta.
  package let pieceByteCountMax: Int

  package init(
    patchByteCountMax: Int, sectionCountMax: Int, hunkCountMax: Int, pieceByteCountMax: Int
  ) {
    self.patchByteCountMax = patchByteCountMax
    self.sectionCountMax = sectionCountMax
    self.hunkCountMax = hunkCountMax
    self.pieceByteCountMax = pieceByteCountMax
  }
}

extension PatchLimit {
  func check(_ actual: Int, _ limit: Int) throws(PatchTextError) {
    if actual > limit { throw .overLimit(self, limit: limit, actual: actual) }
  }
}
