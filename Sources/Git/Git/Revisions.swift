import CGit2
package import GitModel

// Commits by name, and how they descend from each other.
extension Repository {
  /// The commit that a revision names, as in gitrevisions(7); a tag is followed to its commit.
  package func resolve(_ revision: String) throws(GitError) -> ObjectID {
    var object: OpaquePointer?
    let code = unsafe git_revparse_single(&object, handle, revision)
    switch code {
    case GIT_ENOTFOUND.rawValue, GIT_EINVALIDSPEC.rawValue: throw .revisionMissing(revision)
    case GIT_EAMBIGUOUS.rawValue: throw .revisionAmbiguous(revision)
    default: try Libgit2.check(code, "resolve \(revision)")
    }
    defer { unsafe git_object_free(object) }
    var commit: OpaquePointer?
    guard unsafe git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0 else {
      throw .revisionMissing(revision)
    }
    defer { unsafe git_object_free(commit) }
    return unsafe ObjectID(git_object_id(commit).pointee)
  }

  /// Whether `descendant` is `ancestor` or comes from it; history ends where the repository is
  /// shallow.
  package func isAncestor(
    _ ancestor: ObjectID, of descendant: ObjectID
  ) throws(GitError) -> Bool {
    if ancestor == descendant { return true }
    // libgit2 knows nothing of shallow boundaries and fails behind them.
    let boundary = try shallowBoundary()
    if !boundary.isEmpty {
      return try history(of: descendant, boundary, countMax: .max).contains(ancestor)
    }
    var (rawAncestor, rawDescendant) = (ancestor.raw, descendant.raw)
    let code = unsafe git_graph_descendant_of(handle, &rawDescendant, &rawAncestor)
    return try Libgit2.check(code, "compare histories") == 1
  }

  /// The commits that `to` has and `from` has not, every parent before its children; history ends
  /// at the shallow boundary.
  package func commits(
    from: ObjectID?, to: ObjectID, countMax: Int
  ) throws(GitError) -> [ObjectID] {
    let boundary = try shallowBoundary()
    guard boundary.isEmpty else {
      let known = try from.map { id throws(GitError) in
        Set(try history(of: id, boundary, countMax: .max))
      }
      return try history(of: to, boundary, countMax: countMax, without: known ?? [])
    }
    var walk: OpaquePointer?
    try unsafe Libgit2.check(git_revwalk_new(&walk, handle), "walk history")
    defer { unsafe git_revwalk_free(walk) }
    let order = GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_REVERSE.rawValue
    try unsafe Libgit2.check(git_revwalk_sorting(walk, order), "walk history")
    var raw = to.raw
    try unsafe Libgit2.check(git_revwalk_push(walk, &raw), "walk history of \(to)")
    if let from {
      raw = from.raw
      try unsafe Libgit2.check(git_revwalk_hide(walk, &raw), "walk history of \(from)")
    }
    var commits: [ObjectID] = []
    while true {
      let code = unsafe git_revwalk_next(&raw, walk)
      if code == GIT_ITEROVER.rawValue { return commits }
      try Libgit2.check(code, "walk history of \(to)")
      guard commits.count < countMax else { throw .tooManyCommits(countMax: countMax) }
      commits.append(ObjectID(raw))
    }
  }

  /// A commit and all it comes from, parents first, without those in `known` and what lies only
  /// behind them.
  private func history(
    of tip: ObjectID, _ boundary: Set<ObjectID>, countMax: Int, without known: Set<ObjectID> = []
  ) throws(GitError) -> [ObjectID] {
    var result: [ObjectID] = []
    var seen = known
    var pending: [(id: ObjectID, isExpanded: Bool)] = [(tip, false)]
    while let (id, isExpanded) = pending.popLast() {
      if isExpanded {
        guard result.count < countMax else { throw .tooManyCommits(countMax: countMax) }
        result.append(id)
        continue
      }
      guard seen.insert(id).inserted else { continue }
      pending.append((id, true))
      let parents = boundary.contains(id) ? [] : try objects.commit(id).parents
      pending += parents.reversed().map { ($0, false) }
    }
    return result
  }
}
