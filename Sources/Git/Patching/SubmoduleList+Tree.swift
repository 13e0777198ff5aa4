package import Git
package import GitModel

/// Why the submodules of a tree are not known.
package enum SubmoduleListError: Error {
  case flaw(SubmoduleFlaw)
  case git(GitError)
}

extension SubmoduleList {
  /// What the `.gitmodules` at the top of a tree says; empty without that file. If it is a symbolic link, it is not followed.
  package init(
    ofTree tree: ObjectID, in objects: ObjectOverlay
  ) throws(SubmoduleListError) {
    var bytes: [UInt8] = []
    var byteCount = 0
    do throws(GitError) {
      let top = try Tree(bytes: objects.read(tree, .tree))
      guard let item = top.item(named: Array(Self.fileName.utf8)[...]),
        let entry = top.entry(of: item), entry.mode == .regular || entry.mode == .executable
      else {
        self = .empty
        return
      }
      byteCount = try objects.header(entry.id).byteCount
      if byteCount <= Self.byteCountMax { bytes = try objects.read(entry.id, .blob) }
    } catch {
      throw .git(error)
    }
    guard byteCount <= Self.byteCountMax else {
      throw .flaw(.tooLarge(byteCount: byteCount, limit: Self.byteCountMax))
    }
    do throws(SubmoduleFlaw) {
      try self.init(bytes)
    } catch {
      throw .flaw(error)
    }
  }
}
