import CGit2
package import GitModel
import Glibc

/// Bounds on a pack that someone else made.
package struct PackLimits: Sendable {
  package let objectCountMax: Int
  package let objectByteCountMax: Int

  package init(
    objectCountMax: Int = 10_000_000, objectByteCountMax: Int = ObjectDatabase.byteCountMax
  ) {
    self.objectCountMax = objectCountMax
    self.objectByteCountMax = objectByteCountMax
  }
}

/// Takes in a pack of `PackStream`'s form, piece by piece, into a directory of its own beside the
/// repository's objects; memory stays flat. Let go before `finish`, it leaves no file.
@safe
package final class PackReceiver {
  private let quarantine: Quarantine
  private let indexer: OpaquePointer
  private var frame: PackFrame

  package init(for repository: Repository, limits: PackLimits = PackLimits()) throws(GitError) {
    quarantine = try Quarantine(objectsDirectory: repository.commonDirectory + "objects/")
    var made: OpaquePointer?
    try unsafe Libgit2.check(
      git_indexer_new(&made, quarantine.packDirectory, 0, nil, nil), "receive a pack")
    guard let made = unsafe made else { preconditionFailure("libgit2 gave no indexer") }
    unsafe indexer = unsafe made
    frame = PackFrame(limits: limits)
  }

  deinit { unsafe git_indexer_free(indexer) }

  package func append(_ piece: Span<UInt8>) throws(GitError) {
    try frame.follow(piece)
    var progress = git_indexer_progress()
    let code = unsafe piece.withUnsafeBytes {
      unsafe git_indexer_append(indexer, $0.baseAddress, $0.count, &progress)
    }
    try Self.check(code)
  }

  package func append(_ piece: [UInt8]) throws(GitError) { try append(piece.span) }

  /// The whole pack, checked against its own checksums, flushed to the disk and not yet part of the
  /// repository.
  package func finish() throws(GitError) -> QuarantinedPack {
    try frame.finish()
    var progress = git_indexer_progress()
    try Self.check(unsafe git_indexer_commit(indexer, &progress))
    return try QuarantinedPack(quarantine, objectCount: frame.objectCount)
  }

  private static func check(_ code: Int32) throws(GitError) {
    guard code < 0 else { return }
    let faults = [GIT_ERROR_INDEXER, GIT_ERROR_ZLIB, GIT_ERROR_ODB]
    let errorClass = unsafe git_error_last()?.pointee.klass
    if faults.contains(where: { Int32($0.rawValue) == errorClass }) {
      throw .malformedPack(Libgit2.lastReason.contains("duplicate") ? .duplicate : .corrupt)
    }
    throw Libgit2.failure(code, "receive a pack")
  }
}

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

  fileprivate init(_ quarantine: Quarantine, objectCount: Int) throws(GitError) {
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
    let source = quarantine.packDirectory
    let suffixes = [".pack", ".idx"]
    let names = try SystemFile.names(in: source)
    guard let name = names.first(where: { $0.hasSuffix(".pack") })?.dropLast(suffixes[0].count)
    else { throw .malformedPack(.truncated) }
    let pack = try KeptPack(
      freeName(String(name), in: quarantine.objectsDirectory + "pack/"), permissions)
    do throws(GitError) {
      for suffix in suffixes {
        try SystemFile.rename(source + name + suffix, to: pack.path + suffix)
        try permissions.adjust(pack.path + suffix)
      }
      try SystemFile.synchronize(SystemFile.parent(of: pack.path))
    } catch {
      try pack.remove()
      throw error
    }
    return pack
  }

  /// Of a commit and everything that its tree needs, what the pack holds and the repository has as a file of its own too.
  package func looseCopies(
    ofCommit id: ObjectID, tree: ObjectID
  ) throws(GitError) -> [ObjectID] {
    let packed = try ObjectDatabase(objectsDirectory: quarantine.directory, others: [])
    // A pack of the commit alone goes beside the one that has its tree.
    let needed =
      objects.contains(tree) ? try objects.objects(of: tree, notIn: nil).map(\.id) : []
    return ([id] + needed).filter { id in
      let path = Repository.looseName(of: id, in: quarantine.objectsDirectory)
      let isThere = unsafe access(path, F_OK) == 0
      return isThere && packed.contains(id)
    }
  }

  private func freeName(_ name: String, in directory: String) -> String {
    var path = directory + name
    var number = 0
    while unsafe access(path + ".pack", F_OK) == 0 || access(path + ".keep", F_OK) == 0 {
      number += 1
      let digits = String(number, radix: 16)
      path = directory + name.dropLast(digits.count) + digits
    }
    return path
  }
}

/// A pack of ours in a repository, which stays for as long as it is neither released nor removed, whatever
/// leads to its objects.
package struct KeptPack: Sendable {
  private static let mark = Array("distro: a step is being made\n".utf8)

  /// Without its suffix.
  let path: String

  fileprivate init(_ path: String, _ permissions: SharedPermissions) throws(GitError) {
    self.path = path
    try SystemFile.create(path + ".keep", Self.mark)
    try permissions.adjust(path + ".keep")
  }

  private init(existing path: String) { self.path = path }

  /// A branch leads to its objects: from here on it is like any other pack.
  package func release() throws(GitError) { try SystemFile.remove(path + ".keep") }

  /// Nothing leads to its objects, nor ever did: only while git's lock on the index kept others from finding
  /// them, and from leaving out what they would have written otherwise.
  package func remove() throws(GitError) {
    for suffix in [".idx", ".pack", ".keep"] { try SystemFile.remove(path + suffix) }
  }

  /// Those that a killed run has left.
  package static func leftovers(in repository: Repository) throws(GitError) -> [KeptPack] {
    let directory = repository.commonDirectory + "objects/pack/"
    var packs: [KeptPack] = []
    for name in try SystemFile.names(in: directory) where name.hasSuffix(".keep") {
      guard try SystemFile.read(directory + name) == mark else { continue }
      packs.append(KeptPack(existing: directory + name.dropLast(".keep".count)))
    }
    return packs
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

/// A directory below a repository's objects that looks like one of its own and is gone when nobody
/// needs it any more.
private final class Quarantine {
  let objectsDirectory: String
  let directory: String
  var packDirectory: String { directory + "pack/" }

  init(objectsDirectory: String) throws(GitError) {
    self.objectsDirectory = objectsDirectory
    var template = Array(
      (objectsDirectory + QuarantinedPack.directoryPrefix + "XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw SystemFile.failure("mkdtemp", objectsDirectory)
    }
    let name = template.dropLast().map { UInt8(bitPattern: $0) }
    directory = String(decoding: name, as: UTF8.self) + "/"
    for path in [packDirectory, objectsDirectory + "pack"]
    where unsafe mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw SystemFile.failure("mkdir", path)
    }
  }

  deinit {
    do throws(GitError) {
      try SystemFile.removeTree(directory)
    } catch {
      // Nobody can be told here; `removeLeftovers` finds it by its name.
      return
    }
  }
}
