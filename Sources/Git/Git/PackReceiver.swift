import CGit2
import GitModel
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

  package convenience init(
    for repository: Repository, limits: PackLimits = PackLimits()
  ) throws(GitError) {
    try self.init(objectsDirectory: repository.commonDirectory + "objects/", limits: limits)
  }

  init(objectsDirectory: String, limits: PackLimits = PackLimits()) throws(GitError) {
    quarantine = try Quarantine(objectsDirectory: objectsDirectory)
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
