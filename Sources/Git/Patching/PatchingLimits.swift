/// What making and applying a patch may cost; what goes beyond travels as a pack.
package struct PatchingLimits: Equatable, Sendable {
  package let patchByteCountMax: Int
  package let pathCountMax: Int
  /// Deflated, all files and both directions together: a pack says it in less.
  package let binaryByteCountMax: Int
  /// What one file may have, before or after.
  package let fileByteCountMax: Int
  /// What all new files may have together; they are in memory at once.
  package let contentByteCountMax: Int
  package let depthMax: Int
  /// Differing lines of both sides that are compared as text: of one file, which costs below a second, and of all.
  package let comparedLineCountMax = 200_000
  package let comparedLineCountMaxInAll = 1_000_000

  package init(
    patchByteCountMax: Int, pathCountMax: Int, binaryByteCountMax: Int = 1 << 20,
    fileByteCountMax: Int, contentByteCountMax: Int = 64 << 20, depthMax: Int = 512
  ) {
    self.patchByteCountMax = patchByteCountMax
    self.pathCountMax = pathCountMax
    self.binaryByteCountMax = binaryByteCountMax
    self.fileByteCountMax = fileByteCountMax
    self.contentByteCountMax = contentByteCountMax
    self.depthMax = depthMax
  }
}
