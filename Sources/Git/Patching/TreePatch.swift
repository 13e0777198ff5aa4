package import Git
package import GitModel
package import PatchText

/// Patches between trees: made and proven on one side, applied in memory on the other.
package enum TreePatch {
  package enum Outcome: Equatable, Sendable {
    /// The text. It was read back and applied, and gave the new tree.
    case made([UInt8])
    case unsuited(PatchObstacle)
  }

  /// The patch from one tree to another; `nil` is the tree without a file.
  ///
  /// - Throws: what neither a patch nor a pack can help with, such as an unsafe path in a tree.
  package static func make(
    from old: ObjectID?, to new: ObjectID, in objects: ObjectDatabase, limits: PatchingLimits
  ) throws(GitError) -> Outcome {
    do throws(Unsuited) {
      let maker = PatchMaker(objects: objects, limits: limits)
      let patch = try maker.patch(from: old, to: new)
      let text = patch.printed()
      guard text.count <= limits.patchByteCountMax else {
        throw .obstacle(.patchTooLarge(byteCountMax: limits.patchByteCountMax))
      }
      try prove(text, from: old, to: new, objects, limits)
      return .made(text)
    } catch {
      switch error {
      case .obstacle(let obstacle): return .unsuited(obstacle)
      case .git(.objectMissing(let id)): return .unsuited(.objectMissing(id))
      case .git(let error): throw error
      }
    }
  }

  /// Reads the text as its receiver will.
  package static func parse(
    _ text: [UInt8], limits: PatchingLimits
  ) throws(PatchTextError) -> TextPatch {
    let textLimits = PatchLimits(
      patchByteCountMax: limits.patchByteCountMax,
      // A type change is two sections.
      sectionCountMax: 2 * limits.pathCountMax,
      // No hunk is shorter than eight bytes.
      hunkCountMax: limits.patchByteCountMax / 8,
      pieceByteCountMax: limits.fileByteCountMax)
    let patch = try TextPatch(parsing: text, limits: textLimits)
    if patch.sections.count > limits.pathCountMax {
      let pathCount = Set(patch.sections.lazy.map(\.path)).count
      guard pathCount <= limits.pathCountMax else {
        throw .overLimit(.paths, limit: limits.pathCountMax, actual: pathCount)
      }
    }
    return patch
  }

  /// The tree that the patch makes of a base tree; its new objects are in the overlay.
  ///
  /// Every old entry must be what the base tree has, every hunk must fit exactly, and every new
  /// content must have the id that the patch says. Only directories that change are read. After an
  /// error the overlay may hold a part of the new objects.
  package static func apply(
    _ patch: TextPatch, to base: ObjectID?, in overlay: inout ObjectOverlay,
    limits: PatchingLimits
  ) throws(PatchingError) -> ObjectID {
    var update = TreeUpdate(limits: limits)
    return try update.apply(patch.sections, to: base, in: &overlay)
  }

  private static func prove(
    _ text: [UInt8], from old: ObjectID?, to new: ObjectID, _ objects: ObjectDatabase,
    _ limits: PatchingLimits
  ) throws(Unsuited) {
    do throws(PatchingError) {
      let patch: TextPatch
      do throws(PatchTextError) {
        patch = try parse(text, limits: limits)
      } catch {
        throw .text(error)
      }
      var overlay = ObjectOverlay(over: objects)
      let tree = try apply(patch, to: old, in: &overlay, limits: limits)
      if tree != new { throw .otherTree(tree) }
    } catch {
      throw .obstacle(.failsProof(reason: error.description))
    }
  }
}
