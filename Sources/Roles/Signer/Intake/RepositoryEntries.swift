import Foundation
import MessageFormat

/// The entries of the configuration for one repository: it may be named more than once, for other branches or remotes.
struct RepositoryEntries {
  let all: [SignerRepository]

  /// `name`: the remote or upstream of the configuration; or the path of the repository, of its `.git`, or a directory
  /// from which it is meant.
  init(of settings: SignerSettings, at name: String, isNamed: Bool) throws(SignerError) {
    let wanted = Self.canonical(name)
    let named = settings.repositories.filter {
      $0.remote.text == name || $0.source.isUpstream && $0.source.text == name
    }
    let matches =
      named.isEmpty
      ? settings.repositories.filter {
        Self.canonical($0.path) == wanted || Self.canonical($0.path + "/.git") == wanted
      } : named
    if !matches.isEmpty {
      all = matches
      return
    }
    // A hook and a person in any directory mean the only one there is.
    guard !isNamed, Set(settings.repositories.map { Self.canonical($0.path) }).count == 1 else {
      throw .unknownRepository(name)
    }
    all = settings.repositories
  }

  /// Of several entries for one remote, the first one that has the branch.
  func of(_ branch: BranchName) -> [(BranchName, SignerRepository)] {
    var remotes: Set<RemoteName> = []
    return all.filter { $0.branches.contains(branch) && remotes.insert($0.remote).inserted }
      .map { (branch, $0) }
  }

  /// Throws where no entry has a branch of this name.
  func branches(_ ref: String) throws(SignerError) -> [(BranchName, SignerRepository)] {
    let found = BranchName(ref).map { of($0) } ?? []
    guard !found.isEmpty else { throw .notConfigured(ref: ref, repository: all[0].source.text) }
    return found
  }

  /// All entries of each repository that one of these is about.
  func sources(in settings: SignerSettings) -> [[SignerRepository]] {
    let paths = Set(all.map(\.path))
    return Dictionary(
      grouping: settings.repositories.filter { paths.contains($0.path) }, by: \.path
    )
    .sorted { $0.key < $1.key }.map(\.value)
  }

  private static func canonical(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
