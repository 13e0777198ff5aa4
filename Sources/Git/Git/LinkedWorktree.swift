package import GitModel

/// A directory with files, an index and a detached HEAD of its own, whose objects and branches are another repository's.
///
/// Source: gitrepository-layout(5), "worktrees"; git-worktree(1).
package enum LinkedWorktree {
  /// What git needs to know of a worktree whose directory is there; on the disk when this returns.
  package static func link(
    _ name: String, at path: String, to repository: Repository, head: ObjectID
  ) throws(GitError) {
    let directory = directory(of: name, in: repository)
    try SystemFile.makeDirectories(above: directory + "/HEAD")
    try replace(directory + "/HEAD", head.hex + "\n")
    try replace(directory + "/commondir", "../..\n")
    try replace(directory + "/gitdir", path + "/.git\n")
    try SystemFile.synchronize(directory)
    try replace(path + "/.git", "gitdir: \(directory)\n")
    try SystemFile.synchronize(path)
  }

  private static func replace(_ path: String, _ text: String) throws(GitError) {
    try SystemFile.remove(path)
    try SystemFile.create(path, Array(text.utf8))
  }

  /// Where git keeps what belongs to one worktree.
  package static func directory(of name: String, in repository: Repository) -> String {
    repository.commonDirectory + "worktrees/" + name
  }

  /// The names of all.
  package static func names(in repository: Repository) throws(GitError) -> [String] {
    try SystemFile.names(in: repository.commonDirectory + "worktrees")
  }

  /// `nil`: there is no such worktree, or its HEAD cannot be read.
  package static func head(of name: String, in repository: Repository) throws(GitError) -> ObjectID?
  {
    guard let bytes = try SystemFile.read(directory(of: name, in: repository) + "/HEAD") else {
      return nil
    }
    return ObjectID(hex: String(decoding: bytes.prefix(40), as: UTF8.self))
  }
}

extension Repository {
  private static let excludeName = "info/exclude"

  /// Has git leave these paths alone, in all worktrees: gitignore(5), `$GIT_DIR/info/exclude`.
  package func exclude(_ paths: [String]) throws(GitError) {
    let patterns = paths.map { path in
      "/"
        + path.reduce(into: "") { text, character in
          if "*?[\\ ".contains(character) { text.append("\\") }
          text.append(character)
        }
    }
    let file = commonDirectory + Self.excludeName
    let text = String(decoding: try SystemFile.read(file) ?? [], as: UTF8.self)
    let lines = Set(text.split(separator: "\n").map(String.init))
    let missing = patterns.filter { !lines.contains($0) }
    guard !missing.isEmpty else { return }
    let new = file + ".distro"
    try SystemFile.makeDirectories(above: file)
    try SystemFile.remove(new)
    let end = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
    try SystemFile.create(
      new, Array((text + end + missing.joined(separator: "\n") + "\n").utf8))
    try SystemFile.rename(new, to: file)
  }
}
