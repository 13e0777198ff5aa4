import GitModel

extension FileSection {
  /// The new content, made from the old one; for an addition `old` must be empty, for a deletion it
  /// must be exactly what the patch deletes, and the result is empty.
  ///
  /// Positions are exact, every line of context and every deleted one is compared, and binary
  /// pieces must lead both ways. Throws `doesNotApply`, or `overLimit` when the result has more
  /// than `byteCountMax` bytes. Ids are not computed here: that `old` and the result have the
  /// entries' ids is the caller's to check.
  package func apply(to old: [UInt8], byteCountMax: Int) throws(PatchTextError) -> [UInt8] {
    let result: [UInt8]
    do throws(ContentError) {
      result = try content(from: old, byteCountMax: byteCountMax)
    } catch {
      switch error {
      case .flaw(let flaw):
        throw .doesNotApply(path: path, flaw)
      case .tooLarge(let byteCount):
        throw .overLimit(.contentBytes, limit: byteCountMax, actual: byteCount)
      }
    }
    try PatchLimit.contentBytes.check(result.count, byteCountMax)
    return result
  }

  private func content(from old: [UInt8], byteCountMax: Int) throws(ContentError) -> [UInt8] {
    switch content {
    case .unchanged:
      let isOnlyMode = self.old != nil && new != nil
      guard isOnlyMode || old.isEmpty else { throw .flaw(.fileGoesOn) }
      return old
    case .text(let hunks):
      return try TextApplication.apply(hunks, to: old)
    case .binary(let forward, let reverse):
      guard self.old != nil || old.isEmpty else { throw .flaw(.fileGoesOn) }
      let result = try forward.content(from: old, byteCountMax: byteCountMax)
      guard try reverse.leads(from: result, to: old) else { throw .flaw(.reverse) }
      return result
    case .submodule:
      throw .flaw(.submodule)
    }
  }
}

extension BinaryPiece {
  /// A piece of the wrong size, whatever is in it, leads elsewhere; so nothing larger than `target`
  /// is made.
  fileprivate func leads(
    from base: [UInt8], to target: [UInt8]
  ) throws(ContentError) -> Bool {
    do throws(ContentError) {
      return try content(from: base, byteCountMax: target.count)[...].isSame(as: target[...])
    } catch {
      guard case .tooLarge = error else { throw error }
      return false
    }
  }
}

/// Why no content comes out; the section adds its path and the limit.
enum ContentError: Error {
  case flaw(ApplyFlaw)
  case tooLarge(Int)
}
