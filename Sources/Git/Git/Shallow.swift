package import GitModel

// Where history ends by intention: the commits whose parents this repository does not have.
extension Repository {
  private var shallowPath: String { commonDirectory + "shallow" }

  /// Empty in a repository with its whole history.
  ///
  /// Source: git's Documentation/technical/shallow.txt.
  package func shallowBoundary() throws(GitError) -> Set<ObjectID> {
    guard let bytes = try SystemFile.read(shallowPath) else { return [] }
    var boundary: Set<ObjectID> = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let id = ObjectID(hexBytes: line) else {
        throw .malformedShallowFile(path: shallowPath)
      }
      boundary.insert(id)
    }
    return boundary
  }

  package var isShallow: Bool {
    get throws(GitError) { try !shallowBoundary().isEmpty }
  }

  /// Replaces the boundary, under git's lock; durable when it returns. It hides all parents of its
  /// commits from git.
  package func setShallowBoundary(
    _ boundary: Set<ObjectID>, _ lock: borrowing CheckoutLock, patience: Duration
  ) throws(GitError) {
    let held = try lock.take(shallowPath, patience: patience)
    defer { _ = held }
    if boundary.isEmpty {
      try SystemFile.remove(shallowPath)
    } else {
      let temporary = gitDirectory + "distro-shallow"
      try SystemFile.remove(temporary)
      try SystemFile.create(
        temporary, Array(boundary.sorted().map { $0.hex + "\n" }.joined().utf8))
      try sharedPermissions.adjust(temporary)
      try SystemFile.rename(temporary, to: shallowPath)
    }
    try SystemFile.synchronize(commonDirectory)
  }
}
