import MessageFormat

extension PatchingLimits {
  /// What a message may carry as a patch, on both sides the same: docs/message-format.md, "Limits".
  package static let carried = PatchingLimits(
    patchByteCountMax: Limits.patchByteCountMax, pathCountMax: Limits.patchedPathCountMax,
    fileByteCountMax: Limits.patchedFileByteCountMax, depthMax: Limits.treeDepthMax)
}
