import Diagnostics
import GitModel
import Logging
import MessageFormat

/// That a submodule arrives as git has it in a tree: as the id of a commit, without files. Said once of each.
struct SubmoduleNotice: CustomStringConvertible {
  /// Of one push, as many are named.
  static let namedCountMax = 20

  let remote: RemoteName
  let path: TreePath

  var description: String {
    "\(remote): the submodule \(path) arrives as the id of its commit, without its files"
  }
}

extension Logger {
  func report(_ submodules: [SubmoduleNotice]) {
    for submodule in submodules.prefix(SubmoduleNotice.namedCountMax) {
      report(
        .submodulePinned,
        [
          "repository": "\(submodule.remote)", "path": "\(submodule.path)",
          "count": .number(submodules.count),
        ])
    }
  }
}
