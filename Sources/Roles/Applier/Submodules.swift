import Git
import GitModel
import Patching

/// A submodule whose entry a step changes, and whose files it brings, changes or removes.
struct SubmoduleStep {
  /// In the checkout.
  let path: TreePath
  let name: SubmoduleName
  let directory: SubmoduleDirectory
  /// The commit whose files are there; `nil`: none are.
  let old: ObjectID?
  /// `nil`: it goes.
  let new: Target?

  struct Target: Equatable {
    let commit: ObjectID
    let tree: ObjectID
  }
}

/// What becomes of the submodules of a step, with all that lie in them.
struct SubmoduleChanges {
  /// What goes comes first.
  var steps: [SubmoduleStep] = []
  /// Of files in submodules, and of files in whose place a submodule comes, by their paths in the checkout.
  var files: [TreeChange] = []
  /// The submodules of the checkout's own tree that are dealt with here.
  var handled: Set<TreePath> = []
  /// The commits that the new trees name.
  var named: Set<ObjectID> = []
  /// The repository's objects, those of its submodules, and those that came.
  let objects: ObjectDatabase
  /// What came, until it lies in the submodules' own directories.
  let incoming: QuarantinedPack?

  /// What happens to files, where the checkout's own tree changes so.
  func fileChanges(beside changes: [TreeChange]) -> [TreeChange] {
    changes.filter { !handled.contains($0.path) } + files
  }
}

/// Where git directories and files of submodules lie, and how they name each other.
struct SubmodulePlaces {
  /// Without a slash at its end.
  let checkout: String
  /// Ends in a slash.
  let gitDirectory: String

  /// git moves checkouts: paths are relative where the git directory lies in the checkout.
  private var isInside: Bool { gitDirectory == checkout + "/.git/" }

  /// The file `.git` in the directory of the submodule.
  func link(to directory: SubmoduleDirectory, from path: TreePath) -> [UInt8] {
    let target =
      isInside
      ? String(repeating: "../", count: path.components.count)
        + directory.path.dropFirst(checkout.utf8.count + 1).dropLast()
      : String(directory.path.dropLast())
    return Array("gitdir: \(target)\n".utf8)
  }

  /// What `core.worktree` says.
  func workTree(of directory: SubmoduleDirectory, at path: TreePath) -> String {
    let name = String(decoding: path.bytes, as: UTF8.self)
    guard isInside else { return checkout + "/" + name }
    let depth = directory.path.dropFirst(checkout.utf8.count + 1).split(separator: "/").count
    return String(repeating: "../", count: depth) + name
  }
}
