import CGit2
import GitModel

/// The library as a whole: started once, with its limits, before the first handle is made.
package enum Libgit2 {
  // Packs are read through windows mapped into memory. The library's own defaults (1 GiB a window,
  // 32 GiB in all) would make a process as large as the packs it reads.
  package static let windowByteCount = 1 << 20
  package static let windowsByteCountMax = 24 << 20
  /// Open pack files; the library's default is no limit.
  package static let windowFileCountMax = 64
  /// Parsed objects kept in memory, all databases together.
  package static let cacheByteCountMax = 4 << 20

  /// The first call starts libgit2; every handle of this module calls it before anything else.
  package static func prepare() throws(GitError) {
    guard isReady else {
      throw .libgit2(action: "start of libgit2", code: -1, reason: "refused its options")
    }
  }

  private static let isReady: Bool = {
    guard git_libgit2_init() > 0 else { return false }
    let sizes: [(git_libgit2_opt_t, Int)] = [
      (GIT_OPT_SET_MWINDOW_SIZE, windowByteCount),
      (GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, windowsByteCountMax),
      (GIT_OPT_SET_MWINDOW_FILE_LIMIT, windowFileCountMax),
      (GIT_OPT_SET_CACHE_MAX_SIZE, cacheByteCountMax),
    ]
    for (option, size) in sizes where git_libgit2_set_size(Int32(option.rawValue), size) < 0 {
      return false
    }
    // Whose a repository is, `Ownership` looks at: libgit2 does not know `safe.directory = *`.
    guard git_libgit2_set_flag(Int32(GIT_OPT_SET_OWNER_VALIDATION.rawValue), 0) >= 0,
      allowExtensions() >= 0
    else { return false }
    // Durable before acknowledged: objects, packs, references and their directories.
    return git_libgit2_set_flag(Int32(GIT_OPT_ENABLE_FSYNC_GITDIR.rawValue), 1) >= 0
  }()

  /// Those that change nothing of what is read or written here; `objectformat` is looked at on opening.
  private static func allowExtensions() -> Int32 {
    let extensions: [StaticString] = [
      "objectformat", "partialclone", "preciousobjects", "worktreeconfig",
    ]
    var names = unsafe extensions.map { name in
      unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        as UnsafePointer<CChar>?
    }
    return unsafe git_libgit2_set_names(
      Int32(GIT_OPT_SET_EXTENSIONS.rawValue), &names, names.count)
  }

  /// Turns a negative result into an error, with the words that libgit2 keeps for this thread.
  @discardableResult
  static func check(_ code: Int32, _ action: @autoclosure () -> String) throws(GitError) -> Int32 {
    guard code < 0 else { return code }
    throw failure(code, action())
  }

  static func failure(_ code: Int32, _ action: String) -> GitError {
    .libgit2(action: action, code: code, reason: lastReason)
  }

  /// What went wrong last on this thread; only meaningful right after a call that failed.
  static var lastReason: String {
    guard let error = unsafe git_error_last(), let message = unsafe error.pointee.message else {
      return "no reason given"
    }
    return unsafe String(cString: message)
  }
}

extension ObjectID {
  init(_ raw: git_oid) {
    let id = unsafe withUnsafeBytes(of: raw.id) { bytes in
      unsafe ObjectID(rawBytes: bytes)
    }
    self = id
  }

  /// From 20 bytes inside a larger object.
  init(rawBytes bytes: UnsafeRawBufferPointer) {
    guard let id = unsafe ObjectID(bytes: bytes.prefix(ObjectID.byteCount)) else {
      preconditionFailure("an object id has 20 bytes")
    }
    self = id
  }

  var raw: git_oid {
    var oid = git_oid()
    unsafe withUnsafeMutableBytes(of: &oid.id) { unsafe $0.copyBytes(from: bytes) }
    return oid
  }
}

extension ObjectKind {
  var raw: git_object_t {
    switch self {
    case .commit: GIT_OBJECT_COMMIT
    case .tree: GIT_OBJECT_TREE
    case .blob: GIT_OBJECT_BLOB
    case .tag: GIT_OBJECT_TAG
    }
  }

  init?(_ raw: git_object_t) {
    guard let kind = Self.allCases.first(where: { $0.raw == raw }) else { return nil }
    self = kind
  }
}
