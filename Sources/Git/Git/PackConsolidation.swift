import CGit2
import GitModel
import Glibc

/// A pack that we made and nothing is to happen to any more, as a step leaves one.
struct OwnPack {
  /// git knows every pack by the end of its name.
  static let prefix = "pack-distro-"

  /// Without its suffix.
  let path: String
  let byteCount: UInt64

  /// From the smallest to the largest. One that someone has marked, or made more files for, is not ours to judge.
  static func all(in directory: String) throws(GitError) -> [OwnPack] {
    let names = Set(try SystemFile.names(in: directory))
    var packs: [OwnPack] = []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".idx") {
      let stem = String(name.dropLast(".idx".count))
      let marks = [".keep", ".promisor", ".mtimes", ".bitmap"]
      guard names.contains(stem + ".pack"), !marks.contains(where: { names.contains(stem + $0) })
      else { continue }
      let path = directory + stem
      packs.append(OwnPack(path: path, byteCount: try SystemFile.byteCount(path + ".pack")))
    }
    return packs.sorted { ($0.byteCount, $0.path) < ($1.byteCount, $1.path) }
  }

  /// Its index first, which makes it visible.
  func remove() throws(GitError) {
    for suffix in [".idx", ".rev", ".pack"] { try SystemFile.remove(path + suffix) }
  }
}

/// Every step leaves a pack; this puts small ones together, so that their number does not grow with the steps.
///
/// As `git repack --geometric=2` does: each of those that are left is at least twice as large as all smaller ones
/// together, so that a byte is written again only as often as its repository doubles. All objects of what is removed
/// are in the new pack, on the disk, before the first is removed: git's programs look again where a pack is gone, and
/// a killed run leaves some of them twice.
///
/// Source: git-repack(1).
package struct PackConsolidation {
  /// More of our packs than this are put together.
  package static let packCountMax = 20
  /// What is larger is left to git: it would cost seconds.
  package static let byteCountMax: UInt64 = 32 << 20

  private let repository: Repository
  private let packs: [OwnPack]

  /// Of the packs together: what the new one takes at most.
  package var byteCount: UInt64 { packs.reduce(0) { $0 + $1.byteCount } }

  /// `nil`: there is nothing to do, or git is at it.
  package init?(of repository: Repository) throws(GitError) {
    let directory = repository.commonDirectory + "objects/pack/"
    let all = try OwnPack.all(in: directory)
    guard all.count > Self.packCountMax, try !repository.isCollected(),
      unsafe access(directory + "multi-pack-index", F_OK) != 0
    else { return nil }
    let chosen = Self.choose(of: all.map(\.byteCount))
    guard chosen > 1 else { return nil }
    self.repository = repository
    packs = Array(all.prefix(chosen))
  }

  /// How many of the smallest; `sizes` ascend.
  static func choose(of sizes: [UInt64]) -> Int {
    var (count, sum, all) = (0, UInt64(0), UInt64(0))
    for (index, size) in sizes.enumerated() {
      // Up to here the one before it is too small to stand alone.
      if size < 2 * all { (count, sum) = (index + 1, all + size) }
      all += size
      if sum > byteCountMax || size > byteCountMax { break }
    }
    // Many of one size, all of them too large to be put together at once.
    while sum > byteCountMax, count > 0 {
      count -= 1
      sum -= sizes[count]
    }
    return count
  }

  /// `onPlaced`: the new pack is in the repository, and the others still are.
  package func run(onPlaced: () throws -> Void = {}) throws {
    let indexes = try packs.map { pack throws(GitError) in
      try PackIndex(path: pack.path + ".idx")
    }
    let quarantine = try Quarantine(objectsDirectory: repository.commonDirectory + "objects/")
    let new = try QuarantinedPack(
      quarantine, objectCount: try write(indexes, to: quarantine.packDirectory))
    // What is not in the new one stays where it is.
    let replaced = zip(packs, indexes).filter { $0.1.ids.allSatisfy(new.index.contains) }.map(\.0)
    try new.place(try repository.sharedPermissions)
    try onPlaced()
    for pack in replaced { try pack.remove() }
  }

  private func write(
    _ indexes: [PackIndex], to directory: String
  ) throws(GitError) -> Int {
    var made: OpaquePointer?
    try unsafe Libgit2.check(git_packbuilder_new(&made, repository.handle), "put packs together")
    defer { unsafe git_packbuilder_free(made) }
    unsafe git_packbuilder_set_threads(made, 1)
    for index in indexes {
      for id in index.ids {
        var raw = id.raw
        try unsafe Libgit2.check(git_packbuilder_insert(made, &raw, nil), "put packs together")
      }
    }
    try unsafe Libgit2.check(
      git_packbuilder_write(made, directory, 0, nil, nil), "put packs together")
    return unsafe git_packbuilder_object_count(made)
  }
}

extension Repository {
  /// Whether a `git gc` is at work, by what it notes while it is.
  fileprivate func isCollected() throws(GitError) -> Bool {
    guard let note = try SystemFile.read(commonDirectory + "gc.pid"),
      let word = String(decoding: note, as: UTF8.self).split(separator: " ").first,
      let process = pid_t(word), process > 0
    else { return false }
    return kill(process, 0) == 0 || errno == EPERM
  }
}
