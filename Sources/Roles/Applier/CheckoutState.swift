import Git
import GitModel
import MessageFormat

/// What a repository's HEAD is at, as far as it can be read.
struct CheckoutState {
  /// What HEAD's branch names; `nil`: nothing, or its file is damaged.
  private(set) var branch: ObjectID?
  /// `nil`: no commit yet, or `damage` says why it cannot be read.
  private(set) var head: Snapshot?
  /// Only everything anew mends it.
  private(set) var damage: GitError?

  /// `isDeep`: everything that HEAD needs is read, which costs time in proportion to the checkout.
  init(of repository: Repository, isDeep: Bool = false) {
    do throws(GitError) {
      branch = try repository.headCommit()
      guard let branch else { return }
      head = Snapshot(revision: branch, tree: try repository.objects.commit(branch).tree)
      guard let tree = head?.tree else { return }
      // What the next patch begins with.
      _ = try repository.objects.tree(tree)
      if isDeep { try Self.readAll(of: tree, in: repository.objects) }
    } catch {
      (head, damage) = (nil, error)
    }
  }

  private static func readAll(of tree: ObjectID, in objects: ObjectDatabase) throws(GitError) {
    for change in try objects.changes(from: nil, to: tree) {
      guard let new = change.new, new.mode != .submodule else { continue }
      _ = try objects.read(new.id, .blob)
    }
  }
}

extension Checkout {
  /// From what the index says of the files to a tree that came whole: where HEAD cannot be read, nothing else tells
  /// what is under version control here.
  func mendingChanges(to additions: [TreeChange]) throws -> [TreeChange] {
    guard let entries = index.entries() else {
      throw Refused(
        .checkoutUnusable,
        "HEAD of \(path) cannot be read, and the index is in the middle of a merge")
    }
    var olds = Dictionary(entries.map { ($0.path, $0.entry) }) { $1 }
    var changes: [TreeChange] = []
    for addition in additions {
      let old = olds.removeValue(forKey: addition.path)
      if old == addition.new { continue }
      changes.append(TreeChange(path: addition.path, old: old, new: addition.new))
    }
    return changes + olds.map { TreeChange(path: $0.key, old: $0.value, new: nil) }
  }

  /// Whether something that HEAD needs is missing or damaged.
  var isDamaged: Bool { CheckoutState(of: repository, isDeep: true).damage != nil }
}

/// Indexes that stay in memory from batch to batch: reading one costs time in proportion to the checkout.
final class IndexCache {
  private var indexes: [String: IndexUpdater] = [:]

  /// The repository is another one than the last at its path.
  func forget(_ repository: Repository) { indexes[repository.gitDirectory] = nil }

  /// One that git could not read either is made anew from HEAD.
  func index(of repository: Repository, at state: CheckoutState) throws -> IndexUpdater {
    let directory = repository.gitDirectory
    let index = try indexes[directory] ?? IndexUpdater(gitDirectory: directory)
    indexes[directory] = index
    do {
      try index.refresh()
      // A staged removal means that there is an index.
      if let head = state.head, !repository.isBare, try !index.isThere {
        try index.rebuild(from: head.tree, of: repository)
      }
    } catch GitError.indexUnreadable {
      guard state.damage == nil else {
        throw Refused(
          .checkoutUnusable,
          "neither HEAD nor the index of \(repository.path) can be read: move it away, and a new checkout is made"
        )
      }
      try index.rebuild(from: state.head?.tree, of: repository)
    }
    return index
  }
}
