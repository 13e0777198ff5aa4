import Foundation
import MessageFormat

/// The entries of the configuration for one repository: it may be named more than once, for other branches or remotes.
struct RepositoryEntries {
  let all: [SignerRepository]

  /// `path`: of the repository, of its `.git`, or a directory from which it is meant.
  init(of settings: SignerSettings, at path: String, isNamed: Bool) throws(SignerError) {
    let wanted = Self.canonical(path)
    let matches = settings.repositories.filter {
      Self.canonical($0.path) == wanted || Self.canonical($0.path + "/.git") == wanted
    }
    if !matches.isEmpty {
      all = matches
      return
    }
    // A hook and a person in any directory mean the only one there is.
    guard !isNamed, Set(settings.repositories.map { Self.canonical($0.path) }).count == 1 else {
      throw .unknownRepository(path)
    }
    all = settings.repositories
  }

  func of(_ branch: BranchName) -> [(BranchName, SignerRepository)] {
    all.filter { $0.branches.contains(branch) }.map { (branch, $0) }
  }

  /// Throws where no entry has a branch of this name.
  func branches(_ ref: String) throws(SignerError) -> [(BranchName, SignerRepository)] {
    let found = BranchName(ref).map { of($0) } ?? []
    guard !found.isEmpty else { throw .notConfigured(ref: ref, repository: all[0].path) }
    return found
  }

  private static func canonical(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
