import GitModel
import Glibc

/// A pack of ours in a repository, which stays for as long as it is neither released nor removed, whatever
/// leads to its objects.
package struct KeptPack: Sendable {
  private static let mark = Array("distro: a step is being made\n".utf8)
  private static let sharedMark = Array(
    "distro: a step is being made, also of objects that were here\n".utf8)

  /// Without its suffix.
  let path: String
  /// Its objects that the repository had as well; `nil`: a killed run knew. A `git gc` meanwhile keeps these here alone,
  /// since it leaves such packs out and removes the others.
  private let shared: [ObjectID]?

  init(
    _ path: String, sharing shared: [ObjectID], _ permissions: SharedPermissions
  ) throws(GitError) {
    (self.path, self.shared) = (path, shared)
    try SystemFile.create(path + ".keep", shared.isEmpty ? Self.mark : Self.sharedMark)
    try permissions.adjust(path + ".keep")
  }

  private init(existing path: String, sharing shared: [ObjectID]?) {
    (self.path, self.shared) = (path, shared)
  }

  /// A branch leads to its objects: from here on it is like any other pack.
  package func release() throws(GitError) { try SystemFile.remove(path + ".keep") }

  /// Nothing leads to its objects, nor ever did: only while git's lock on the index kept others from finding
  /// them, and from leaving out what they would have written otherwise. What was there before and is nowhere else by now stays,
  /// in a pack like any other, which git removes when it likes.
  package func remove() throws(GitError) {
    if let shared, try areElsewhere(shared) { try delete() } else { try release() }
  }

  /// In other packs, or in files of their own; what alternates have does not count.
  private func areElsewhere(_ ids: [ObjectID]) throws(GitError) -> Bool {
    if ids.isEmpty { return true }
    let directory = SystemFile.parent(of: path) + "/"
    var missing = ids
    for name in try SystemFile.names(in: directory)
    where name.hasSuffix(".idx") && directory + name != path + ".idx" && !missing.isEmpty {
      let index = try PackIndex(path: directory + name)
      missing.removeAll(where: index.contains)
    }
    return missing.allSatisfy {
      unsafe access("\(directory)../\($0.hex.prefix(2))/\($0.hex.dropFirst(2))", F_OK) == 0
    }
  }

  /// Its files are all that has been made of it.
  func delete() throws(GitError) {
    for suffix in [".idx", ".pack", ".keep"] { try SystemFile.remove(path + suffix) }
  }

  /// Those that a killed run has left.
  package static func leftovers(in repository: Repository) throws(GitError) -> [KeptPack] {
    let directory = repository.commonDirectory + "objects/pack/"
    var packs: [KeptPack] = []
    for name in try SystemFile.names(in: directory) where name.hasSuffix(".keep") {
      let text = try SystemFile.read(directory + name)
      guard text == mark || text == sharedMark else { continue }
      packs.append(
        KeptPack(
          existing: directory + name.dropLast(".keep".count), sharing: text == mark ? [] : nil))
    }
    return packs
  }
}
