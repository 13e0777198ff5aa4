package import GitModel
package import Patching

/// Why a submodule cannot be shipped.
package enum SubmoduleFault: Error, Equatable {
  /// `.gitmodules` says nothing of its path.
  case unnamed
  case flaw(SubmoduleFlaw)
  /// Neither below `.git/modules`, nor at a path of this machine. Without the URL, in which there may be a password.
  case notHere(SubmoduleName)
  case commitMissing(ObjectID, repository: String)
  case tooDeep(limit: Int)

  package var description: String {
    switch self {
    case .unnamed: "the submodule has no entry in .gitmodules"
    case .flaw(let flaw): "\(flaw)"
    case .notHere(let name):
      "the submodule \(name) is not in .git/modules, and its URL in .gitmodules is no repository of this machine"
    case .commitMissing(let id, let repository):
      "the submodule's commit \(id.abbreviated) is not in \(repository)"
    case .tooDeep(let limit): "submodules lie inside submodules more than \(limit) deep"
    }
  }

  var hint: String {
    switch self {
    case .unnamed, .flaw: "correct .gitmodules and commit, or set 'submodules: pin'"
    case .notHere:
      "run `git submodule update --init --recursive` in the signer's repository, or set 'submodules: pin'"
    case .commitMissing:
      "push the commit to a branch there; with 'path:', run `git submodule update --init --recursive` in "
        + "the signer's repository"
    case .tooDeep: "set 'submodules: pin'"
    }
  }
}
