import Foundation
import Git
import GitModel
import MessageFormat

/// The repository that is pushed to, and the signed history that follows from it: what each revision holds, and in which
/// order the branch was led to which.
final class Source {
  let path: String
  let branches: [BranchName]
  private let repository: Repository
  /// Every revision that ever was, here or made by people on their machines.
  private(set) var files: [ObjectID: Files] = [:]
  /// By branch: where the operator led it, in order.
  private(set) var leads: [BranchName: [ObjectID]] = [:]
  private var commitCount = 0

  init(path: String, branches: [BranchName]) throws {
    (self.path, self.branches) = (path, branches)
    repository = try Repository.create(at: path, branch: branches[0].fullName, isBare: true)
  }

  func tip(of branch: BranchName) throws -> ObjectID? {
    try repository.referenceTarget(branch.fullName)
  }

  /// A commit that no branch has yet.
  func commit(_ files: Files, on parents: [ObjectID]) throws -> ObjectID {
    commitCount += 1
    let tree = try files.write(to: repository.objects)
    let who = "A <a@example.org> \(1_700_000_000 + commitCount) +0000"
    let text =
      "tree \(tree)\n" + parents.map { "parent \($0)\n" }.joined()
      + "author \(who)\ncommitter \(who)\n\nchange \(commitCount)\n"
    let id = try repository.objects.write(.commit, Array(text.utf8))
    self.files[id] = files
    return id
  }

  /// What a push does before its hook runs.
  func move(_ branch: BranchName, to revision: ObjectID) throws {
    let lock = try CheckoutLock(gitDirectory: repository.gitDirectory)
    try BranchLock(branch.fullName, of: repository, lock, patience: .zero)
      .move(from: tip(of: branch), to: revision, message: "push")
    lead(branch, to: revision)
  }

  /// The operator wants this revision there from now on.
  func lead(_ branch: BranchName, to revision: ObjectID) {
    leads[branch, default: []].append(revision)
  }

  /// When a branch was last led to a revision; `nil`: never, so that nobody has signed it for this branch.
  func rank(of revision: ObjectID, on branch: BranchName) -> Int? {
    leads[branch]?.lastIndex(of: revision)
  }

  /// When it was first led there, at `begin` at the earliest: a branch that was taken back has been at a revision twice,
  /// and what lies between may still be on its way.
  func rank(of revision: ObjectID, on branch: BranchName, from begin: Int) -> Int? {
    leads[branch]?[begin...].firstIndex(of: revision)
  }

  /// A commit that somebody made on a private machine.
  func note(_ revision: ObjectID, _ files: Files) { self.files[revision] = files }

  /// Or the same; a commit of people's leads nowhere.
  func isAncestor(_ ancestor: ObjectID, of revision: ObjectID) throws -> Bool {
    guard repository.objects.contains(ancestor) else { return false }
    return try ancestor == revision || repository.isAncestor(ancestor, of: revision)
  }

  /// The first parents of a revision, nearest first.
  func ancestors(of revision: ObjectID, countMax: Int) throws -> [ObjectID] {
    var found: [ObjectID] = []
    var current = revision
    while found.count < countMax, let parent = try repository.objects.commit(current).parents.first
    {
      found.append(parent)
      current = parent
    }
    return found
  }
}
