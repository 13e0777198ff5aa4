import Git
import GitModel
import PatchText

/// Ends the making of a patch: an outcome for the caller, or a fault of the machine.
enum Unsuited: Error {
  case obstacle(PatchObstacle)
  case git(GitError)
}

/// From two trees to the sections of a patch.
struct PatchMaker {
  let objects: ObjectDatabase
  let limits: PatchingLimits

  func patch(from old: ObjectID?, to new: ObjectID) throws(Unsuited) -> TextPatch {
    var sections: [FileSection] = []
    var cost = Cost(limits: limits)
    for change in try changes(from: old, to: new) {
      for part in change.sections {
        let content = try content(of: part, &cost)
        do throws(PatchTextError) {
          sections.append(
            try FileSection(path: part.path, old: part.old, new: part.new, content: content))
        } catch {
          throw .obstacle(.failsProof(reason: error.description))
        }
      }
    }
    do throws(PatchTextError) {
      return try TextPatch(sections)
    } catch {
      throw .obstacle(.failsProof(reason: error.description))
    }
  }

  private func changes(
    from old: ObjectID?, to new: ObjectID
  ) throws(Unsuited) -> [TreeChange] {
    let countMax = limits.pathCountMax
    let treeLimits = TreeLimits(pathCountMax: countMax, depthMax: limits.depthMax)
    do throws(GitError) {
      let difference = try objects.difference(from: old, to: new, limits: treeLimits)
      if difference.old.pathCount <= countMax {
        let changes = try objects.changes(from: old, to: new, counted: difference)
        if changes.count <= countMax { return changes }
      }
    } catch {
      guard case .treeOverLimit = error else { throw .git(error) }
    }
    throw .obstacle(.tooManyPaths(countMax: countMax))
  }

  private func content(
    of change: TreeChange, _ cost: inout Cost
  ) throws(Unsuited) -> FileSection.Content {
    if (change.old ?? change.new)?.mode == .submodule { return .submodule }
    let empty = FileSection.emptyFileID
    if (change.old?.id ?? empty) == (change.new?.id ?? empty) { return .unchanged }
    let old = try read(change.old, at: change.path)
    let new = try read(change.new, at: change.path)
    try cost.count(content: old.count + new.count)
    if old.contains(0) || new.contains(0) || !cost.takes(linesOf: old, new) {
      return try binary(old, new, &cost)
    }
    return try text(old, new, &cost)
  }

  private func text(
    _ old: [UInt8], _ new: [UInt8], _ cost: inout Cost
  ) throws(Unsuited) -> FileSection.Content {
    let body: [UInt8]
    do throws(GitError) {
      body = try Difference.hunks(old: old, new: new)
    } catch {
      throw .git(error)
    }
    try cost.count(text: body.count)
    do throws(PatchTextError) {
      return .text(try Hunk.hunks(fromBody: body))
    } catch {
      throw .obstacle(.failsProof(reason: error.description))
    }
  }

  private func read(_ entry: TreeEntry?, at path: TreePath) throws(Unsuited) -> [UInt8] {
    guard let entry else { return [] }
    do throws(GitError) {
      return try objects.read(entry.id, .blob, byteCountMax: limits.fileByteCountMax)
    } catch {
      guard case .objectTooLarge(_, let byteCount, let byteCountMax) = error else {
        throw .git(error)
      }
      throw .obstacle(.fileTooLarge(path: path, byteCount: byteCount, byteCountMax: byteCountMax))
    }
  }

  private func binary(
    _ old: [UInt8], _ new: [UInt8], _ cost: inout Cost
  ) throws(Unsuited) -> FileSection.Content {
    let pair: (forward: Difference.BinaryData, reverse: Difference.BinaryData)?
    do throws(GitError) {
      pair = try Difference.binary(old: old, new: new)
    } catch {
      throw .git(error)
    }
    guard let pair else { return .unchanged }
    try cost.count(binary: pair.forward.deflated.count + pair.reverse.deflated.count)
    return .binary(forward: BinaryPiece(pair.forward), reverse: BinaryPiece(pair.reverse))
  }
}

/// What a patch has cost so far; beyond a limit the rest is not even read.
private struct Cost {
  let limits: PatchingLimits
  private var contentByteCount = 0
  private var binaryByteCount = 0
  private var textByteCount = 0
  private var lineCount = 0

  init(limits: PatchingLimits) { self.limits = limits }

  mutating func count(content byteCount: Int) throws(Unsuited) {
    contentByteCount += byteCount
    guard contentByteCount <= limits.contentByteCountMax else {
      throw .obstacle(.tooMuchContent(byteCountMax: limits.contentByteCountMax))
    }
  }

  /// Whether there is time to compare two texts line by line. A delta of bytes says the same, and costs time in proportion
  /// to the bytes; lines that all look alike cost that much squared.
  mutating func takes(linesOf old: [UInt8], _ new: [UInt8]) -> Bool {
    let count = DifferingLines.count(old, new)
    guard count <= limits.comparedLineCountMax,
      lineCount + count <= limits.comparedLineCountMaxInAll
    else { return false }
    lineCount += count
    return true
  }

  mutating func count(binary byteCount: Int) throws(Unsuited) {
    binaryByteCount += byteCount
    guard binaryByteCount <= limits.binaryByteCountMax else {
      throw .obstacle(.tooMuchBinary(byteCountMax: limits.binaryByteCountMax))
    }
  }

  mutating func count(text byteCount: Int) throws(Unsuited) {
    textByteCount += byteCount
    guard textByteCount <= limits.patchByteCountMax else {
      throw .obstacle(.patchTooLarge(byteCountMax: limits.patchByteCountMax))
    }
  }
}

extension BinaryPiece {
  fileprivate init(_ data: Difference.BinaryData) {
    let kind: Kind =
      switch data.kind {
      case .literal: .literal
      case .delta: .delta
      }
    self.init(kind: kind, inflatedByteCount: data.inflatedByteCount, deflated: data.deflated)
  }
}
