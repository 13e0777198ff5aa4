import CGit2
package import GitModel

// Commits by name, and how they descend from each other. libgit2 parses commits more strictly than git does, so
// none of its own walks are used.
extension Repository {
  /// The commit that a revision names, as in gitrevisions(7); a tag is followed to its commit.
  package func resolve(_ revision: String) throws(GitError) -> ObjectID {
    let name = revision.prefix { $0 != "~" && $0 != "^" }
    var commit = try commit(behind: try object(named: String(name), revision), revision)
    for step in try Self.steps(revision[name.endIndex...], revision) {
      switch step {
      case .parent(0): break
      case .parent(let number):
        let parents = try objects.commit(commit).parents
        guard number <= parents.count else { throw .revisionMissing(revision) }
        commit = parents[number - 1]
      case .ancestor(let count):
        for _ in 0..<count {
          guard let parent = try objects.commit(commit).parents.first else {
            throw .revisionMissing(revision)
          }
          commit = parent
        }
      }
    }
    return commit
  }

  /// Whether `descendant` is `ancestor` or comes from it; history ends where the repository is
  /// shallow.
  package func isAncestor(
    _ ancestor: ObjectID, of descendant: ObjectID
  ) throws(GitError) -> Bool {
    var walk = CommitWalk(objects, boundary: try shallowBoundary())
    return try walk.isAncestor(ancestor, of: descendant)
  }

  /// The commits that `to` has and `from` has not, every parent before its children; history ends
  /// at the shallow boundary.
  package func commits(
    from: ObjectID?, to: ObjectID, countMax: Int
  ) throws(GitError) -> [ObjectID] {
    var walk = CommitWalk(objects, boundary: try shallowBoundary())
    return try walk.commits(from: from, to: to, countMax: countMax)
  }

  // MARK: - Names

  private enum Step {
    case parent(Int)
    case ancestor(Int)
  }

  /// `~3`, `^`, `^2`, `^0`, `^{commit}` and `^{}`, in any number.
  private static func steps(
    _ suffix: Substring, _ revision: String
  ) throws(GitError) -> [Step] {
    var steps: [Step] = []
    var rest = suffix
    while let sign = rest.popFirst() {
      if rest.hasPrefix("{") {
        guard sign == "^", let end = rest.firstIndex(of: "}"),
          ["{", "{commit"].contains(rest[..<end])
        else { throw .revisionMissing(revision) }
        rest = rest[rest.index(after: end)...]
        continue
      }
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest[digits.endIndex...]
      guard let number = digits.isEmpty ? 1 : Int(digits), sign == "~" || sign == "^" else {
        throw .revisionMissing(revision)
      }
      steps.append(sign == "~" ? .ancestor(number) : .parent(number))
    }
    return steps
  }

  private func object(named name: String, _ revision: String) throws(GitError) -> ObjectID {
    if let id = ObjectID(hex: name), objects.contains(id) { return id }
    let reference = name == "@" ? "HEAD" : name
    for pattern in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
      guard Self.isValidName(pattern + reference) else { continue }
      if let id = try referenceTarget(pattern + reference) { return id }
    }
    if let id = try objects.object(abbreviated: name) { return id }
    return try parsed(name, revision)
  }

  /// The rest of gitrevisions(7), `main@{yesterday}` for example, by libgit2.
  private func parsed(_ name: String, _ revision: String) throws(GitError) -> ObjectID {
    var object: OpaquePointer?
    let code = unsafe git_revparse_single(&object, handle, name)
    switch code {
    case GIT_ENOTFOUND.rawValue, GIT_EINVALIDSPEC.rawValue: throw .revisionMissing(revision)
    case GIT_EAMBIGUOUS.rawValue: throw .revisionAmbiguous(revision)
    default: try Libgit2.check(code, "resolve \(revision)")
    }
    defer { unsafe git_object_free(object) }
    return unsafe ObjectID(git_object_id(object).pointee)
  }

  private func commit(
    behind object: ObjectID, _ revision: String
  ) throws(GitError) -> ObjectID {
    var id = object
    while true {
      switch try objects.header(id).kind {
      case .commit: return id
      case .tree, .blob: throw .revisionMissing(revision)
      case .tag:
        // gitformat(5): a tag begins with the line "object ID".
        let line = try objects.read(id, .tag).dropFirst("object ".utf8.count)
        guard let target = ObjectID(hexBytes: line.prefix(2 * ObjectID.byteCount)) else {
          throw .revisionMissing(revision)
        }
        id = target
      }
    }
  }
}

extension ObjectDatabase {
  /// The only object whose id begins with these four or more digits; `nil` where there is none.
  fileprivate func object(abbreviated digits: String) throws(GitError) -> ObjectID? {
    guard (4..<2 * ObjectID.byteCount).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ ($0 | 0x20) != 0x20 && Character(UnicodeScalar($0)).isHexDigit })
    else { return nil }
    var short = git_oid()
    var found = git_oid()
    guard unsafe git_oid_fromstrp(&short, digits) == 0 else { return nil }
    let code = unsafe git_odb_exists_prefix(&found, handle, &short, digits.utf8.count)
    if code == GIT_ENOTFOUND.rawValue { return nil }
    if code == GIT_EAMBIGUOUS.rawValue { throw .revisionAmbiguous(digits) }
    try Libgit2.check(code, "resolve \(digits)")
    return ObjectID(found)
  }
}
