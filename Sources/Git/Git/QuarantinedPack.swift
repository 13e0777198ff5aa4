package import GitModel
import Glibc

/// A received pack beside the repository: its objects can be read and checked together with the
/// repository's; they become part of it by `keep`. Let go without that, it leaves no file.
package final class QuarantinedPack {
  /// Not git's own `incoming-`, which belongs to a push that another program receives.
  static let directoryPrefix = "distro-incoming-"

  /// The repository's objects and the pack's.
  package let objects: ObjectDatabase
  package let objectCount: Int
  /// What is in the pack itself.
  package let index: PackIndex
  private let quarantine: Quarantine

  init(_ quarantine: Quarantine, objectCount: Int) throws(GitError) {
    self.quarantine = quarantine
    self.objectCount = objectCount
    let names = try SystemFile.names(in: quarantine.packDirectory)
    guard let name = names.first(where: { $0.hasSuffix(".idx") }) else {
      throw .malformedPack(.corrupt)
    }
    index = try PackIndex(path: quarantine.packDirectory + name)
    objects = try ObjectDatabase(
      objectsDirectory: quarantine.objectsDirectory, others: [quarantine.directory])
  }

  /// Where its objects are, for as long as it is not let go.
  var directory: String { quarantine.directory }

  /// For a pack whose objects were taken elsewhere.
  package func discard() throws(GitError) { try SystemFile.removeTree(quarantine.directory) }

  /// The sizes of its files together.
  package var byteCount: UInt64 {
    get throws(GitError) {
      var sum: UInt64 = 0
      for name in try SystemFile.names(in: quarantine.packDirectory) {
        sum += try SystemFile.byteCount(quarantine.packDirectory + name)
      }
      return sum
    }
  }

  /// Moves the pack into the repository; durable when it returns. Its index goes last, since it
  /// makes the pack visible.
  ///
  /// Until it is released, no program of git's removes it, though nothing leads to its objects yet: the file
  /// that says so is there first (git-repack(1), `.keep`). A pack of the same objects that is there already
  /// is another one, which may be on its way out.
  package func keep(_ permissions: SharedPermissions) throws(GitError) -> KeptPack {
    let known = try ObjectDatabase(objectsDirectory: quarantine.objectsDirectory, others: [])
    let pack = try KeptPack(
      try freePath(), sharing: index.ids.filter(known.hasAtOnce), permissions)
    do throws(GitError) {
      try move(to: pack.path, permissions)
    } catch {
      try pack.delete()
      throw error
    }
    return pack
  }

  /// The same for objects that the repository has already: nothing needs to be kept from git's programs.
  func place(_ permissions: SharedPermissions) throws(GitError) {
    try move(to: try freePath(), permissions)
  }

  private func name() throws(GitError) -> String {
    let names = try SystemFile.names(in: quarantine.packDirectory)
    guard let name = names.first(where: { $0.hasSuffix(".pack") }) else {
      throw .malformedPack(.truncated)
    }
    return String(name.dropLast(".pack".count))
  }

  private func move(to path: String, _ permissions: SharedPermissions) throws(GitError) {
    let source = quarantine.packDirectory + (try name())
    for suffix in [".pack", ".idx"] {
      try SystemFile.rename(source + suffix, to: path + suffix)
      try permissions.adjust(path + suffix)
    }
    try SystemFile.synchronize(SystemFile.parent(of: path))
  }

  /// What the pack holds and the repository has as a file of its own too.
  package var looseCopies: [ObjectID] {
    index.ids.filter { id in
      unsafe access(Repository.looseName(of: id, in: quarantine.objectsDirectory), F_OK) == 0
    }
  }

  /// By its name it is known as one that we made.
  private func freePath() throws(GitError) -> String {
    let whole =
      quarantine.objectsDirectory + "pack/" + OwnPack.prefix
      + (try name()).dropFirst("pack-".count)
    var path = whole
    var number = 0
    while unsafe access(path + ".pack", F_OK) == 0 || access(path + ".keep", F_OK) == 0 {
      number += 1
      let digits = String(number, radix: 16)
      path = whole.dropLast(digits.count) + digits
    }
    return path
  }
}

extension Repository {
  fileprivate static func looseName(of id: ObjectID, in objectsDirectory: String) -> String {
    objectsDirectory + id.hex.prefix(2) + "/" + id.hex.dropFirst(2)
  }

  /// For objects that a pack holds as well.
  package func removeLooseObjects(_ ids: [ObjectID]) throws(GitError) {
    for id in ids {
      try SystemFile.remove(Self.looseName(of: id, in: commonDirectory + "objects/"))
    }
  }
}
