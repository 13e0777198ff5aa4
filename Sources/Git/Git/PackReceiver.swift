import CGit2
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
  static let directoryPrefix = "incoming-"

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

  /// Moves the pack into the repository; durable when it returns. Its index goes last, since it
  /// makes the pack visible.
  package func keep() throws(GitError) {
    let target = quarantine.objectsDirectory + "pack/"
    let names = try SystemFile.names(in: quarantine.packDirectory)
    for suffix in [".pack", ".idx"] {
      // A pack of that name holds these objects already.
      for name in names where name.hasSuffix(suffix) {
        if unsafe access(target + name, F_OK) == 0 { continue }
        try SystemFile.rename(quarantine.packDirectory + name, to: target + name)
      }
    }
    try SystemFile.synchronize(target)
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
