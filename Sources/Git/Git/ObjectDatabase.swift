import CGit2
package import GitModel

/// The objects of a repository, by name; one thread's.
///
/// Objects are read whole. One that is larger than `byteCountMax` is refused by its header, before
/// memory is taken.
@safe
package final class ObjectDatabase {
  /// What one object may take in memory unless a call says otherwise; files above 16 MiB cost their
  /// size.
  package static let byteCountMax = 1 << 30

  /// The directory without an entry. As for git, it is always there, also where it was never written.
  package static let emptyTree: ObjectID = {
    guard let id = ObjectID(hex: "4b825dc642cb6eb9a060e54bf8d69288fbee4904") else {
      preconditionFailure("40 digits")
    }
    return id
  }()

  let handle: OpaquePointer

  /// Takes over the handle.
  init(owning handle: OpaquePointer) {
    unsafe self.handle = unsafe handle
  }

  /// The objects below an `objects` directory, and those below further ones.
  init(objectsDirectory: String, others: [String]) throws(GitError) {
    try Libgit2.prepare()
    var opened: OpaquePointer?
    try unsafe Libgit2.check(git_odb_open(&opened, objectsDirectory), "open \(objectsDirectory)")
    guard let opened = unsafe opened else { preconditionFailure("libgit2 gave no database") }
    unsafe handle = unsafe opened
    for directory in others { try add(directory) }
    try addAlternates(of: objectsDirectory)
  }

  /// Also reads the objects below another `objects` directory.
  func add(_ directory: String) throws(GitError) {
    try unsafe Libgit2.check(git_odb_add_disk_alternate(handle, directory), "open \(directory)")
  }

  deinit { unsafe git_odb_free(handle) }

  package func contains(_ id: ObjectID) -> Bool {
    if id == Self.emptyTree { return true }
    var raw = id.raw
    return unsafe git_odb_exists(handle, &raw) == 1
  }

  /// By the packs that were there when the database was opened: what is missing costs no look at the directory.
  func hasAtOnce(_ id: ObjectID) -> Bool {
    var raw = id.raw
    return unsafe git_odb_exists_ext(handle, &raw, UInt32(GIT_ODB_LOOKUP_NO_REFRESH.rawValue)) == 1
  }

  package func header(_ id: ObjectID) throws(GitError) -> ObjectHeader {
    if id == Self.emptyTree { return ObjectHeader(kind: .tree, byteCount: 0) }
    var raw = id.raw
    var byteCount = 0
    var rawKind = GIT_OBJECT_INVALID
    let code = unsafe git_odb_read_header(&byteCount, &rawKind, handle, &raw)
    if code == GIT_ENOTFOUND.rawValue { throw .objectMissing(id) }
    try Self.check(code, id)
    guard let kind = ObjectKind(rawKind) else {
      throw .libgit2(action: "read object \(id)", code: code, reason: "unknown kind")
    }
    return ObjectHeader(kind: kind, byteCount: byteCount)
  }

  /// The content of the object; its hash has been verified against its name.
  package func read(
    _ id: ObjectID, _ kind: ObjectKind, byteCountMax: Int = ObjectDatabase.byteCountMax
  ) throws(GitError) -> [UInt8] {
    let header = try header(id)
    guard header.kind == kind else {
      throw .objectKindWrong(id, expected: kind, actual: header.kind)
    }
    guard header.byteCount <= byteCountMax else {
      throw .objectTooLarge(id, byteCount: header.byteCount, byteCountMax: byteCountMax)
    }
    if header.byteCount == 0 { return [] }
    var raw = id.raw
    var object: OpaquePointer?
    try Self.check(unsafe git_odb_read(&object, handle, &raw), id)
    defer { unsafe git_odb_object_free(object) }
    let bytes = unsafe UnsafeRawBufferPointer(
      start: git_odb_object_data(object), count: git_odb_object_size(object))
    return unsafe [UInt8](bytes)
  }

  /// What lies on the disk is not the object, or the disk could not be read.
  private static func check(_ code: Int32, _ id: ObjectID) throws(GitError) {
    guard code < 0 else { return }
    let kinds = [GIT_ERROR_ODB, GIT_ERROR_ZLIB, GIT_ERROR_OBJECT, GIT_ERROR_INVALID]
    let errorClass = unsafe git_error_last()?.pointee.klass
    guard kinds.contains(where: { Int32($0.rawValue) == errorClass }) else {
      throw Libgit2.failure(code, "read object \(id)")
    }
    throw .objectDamaged(id, reason: Libgit2.lastReason)
  }

  package func commit(_ id: ObjectID) throws(GitError) -> Commit {
    try Commit(bytes: read(id, .commit), id: id)
  }

  package func tree(_ id: ObjectID) throws(GitError) -> Tree {
    try Tree(bytes: read(id, .tree))
  }

  /// Writes a loose object and flushes it to the disk; nothing happens when it is already there.
  @discardableResult
  package func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(GitError) -> ObjectID {
    var raw = git_oid()
    try unsafe Libgit2.check(
      git_odb_write(&raw, handle, bytes, bytes.count, kind.raw), "write a \(kind.rawValue)")
    return ObjectID(raw)
  }

  /// The name that an object has or would have; nothing is written.
  package static func hash(_ kind: ObjectKind, _ bytes: [UInt8]) throws(GitError) -> ObjectID {
    try Libgit2.prepare()
    var raw = git_oid()
    try unsafe Libgit2.check(
      git_odb_hash(&raw, bytes, bytes.count, kind.raw), "hash a \(kind.rawValue)")
    return ObjectID(raw)
  }
}
