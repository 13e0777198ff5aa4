import Git
import GitModel

/// The indexes of a step's submodules, for paths of the checkout.
struct SubmoduleIndexes {
  /// `nil`: no file of the submodule is there.
  private var indexes: [[UInt8]: IndexUpdater?] = [:]

  /// Throws `Refused` where one is in the middle of a merge.
  init(of submodules: SubmoduleChanges) throws {
    for step in submodules.steps {
      guard step.old != nil else {
        if indexes[step.path.bytes] == nil { indexes[step.path.bytes] = .some(nil) }
        continue
      }
      let index = try IndexUpdater(gitDirectory: step.directory.path)
      try index.refresh()
      try index.removeCopy()
      guard index.entries() != nil else {
        throw Refused(.localChanges, "the submodule \(step.path) is in the middle of a merge")
      }
      indexes[step.path.bytes] = index
    }
  }

  /// What the submodule that a path lies in has in its index; `nil`: the path lies in none of them.
  func entry(at path: TreePath) -> IndexEntry? {
    var end = path.bytes.endIndex
    while let slash = path.bytes[..<end].lastIndex(of: UInt8(ascii: "/")) {
      if let index = indexes[Array(path.bytes[..<slash])] {
        guard let index else { return .nothing }
        do throws(UnsafePath) {
          return index.entry(at: try TreePath(Array(path.bytes[(slash + 1)...])))
        } catch {
          preconditionFailure("a safe path ends with safe paths: \(error)")
        }
      }
      end = slash
    }
    return nil
  }
}
