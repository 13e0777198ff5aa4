import CGit2
import Glibc

/// An open repository: its objects, its references and where they lie. It belongs to the thread
/// that opened it; opening one costs about 0.1 ms, so every task opens its own.
@safe
package final class Repository {
  /// As the caller named it.
  package let path: String
  package let objects: ObjectDatabase
  let handle: OpaquePointer

  /// Opens the repository whose working directory or git directory is exactly `path`; parents are
  /// not searched.
  package convenience init(opening path: String) throws(GitError) {
    try Libgit2.prepare()
    var opened: OpaquePointer?
    let code = unsafe git_repository_open(&opened, path)
    try unsafe self.init(opened, code, path)
  }

  /// The objects and branches of a git directory, whatever its configuration says of a working tree: that of a submodule may
  /// have been moved.
  package convenience init(openingGitDirectory path: String) throws(GitError) {
    try Libgit2.prepare()
    var opened: OpaquePointer?
    let flags = GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue | GIT_REPOSITORY_OPEN_BARE.rawValue
    let code = unsafe git_repository_open_ext(&opened, path, flags, nil)
    try unsafe self.init(opened, code, path)
  }

  /// What libgit2 opened, if it did.
  private init(_ opened: OpaquePointer?, _ code: Int32, _ path: String) throws(GitError) {
    guard code == 0, let opened = unsafe opened else { throw Self.openingFailure(code, path) }
    unsafe handle = unsafe opened
    self.path = path
    objects = try unsafe Self.objects(of: opened, path)
    try requireOwner()
    try requireObjectFormat()
    try objects.addAlternates(of: commonDirectory + "objects")
  }

  /// Makes a new repository, with the directories that lead to it; HEAD names `branch`, which has
  /// no commit yet.
  ///
  /// `branch` is a full name, `refs/heads/…`.
  package static func create(
    at path: String, branch: String, isBare: Bool = false
  ) throws(GitError) -> Repository {
    try Libgit2.prepare()
    guard isValidName(branch) else { throw .referenceNameInvalid(branch) }
    var options = unsafe git_repository_init_options()
    try unsafe Libgit2.check(
      git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION)),
      "create \(path)")
    unsafe options.flags =
      GIT_REPOSITORY_INIT_MKDIR.rawValue | GIT_REPOSITORY_INIT_MKPATH.rawValue
      | GIT_REPOSITORY_INIT_NO_REINIT.rawValue | (isBare ? GIT_REPOSITORY_INIT_BARE.rawValue : 0)
    var created: OpaquePointer?
    let code = unsafe branch.withCString { name in
      unsafe options.initial_head = unsafe name
      return unsafe git_repository_init_ext(&created, path, &options)
    }
    if code == GIT_EEXISTS.rawValue { throw .alreadyExists(path: path) }
    try Libgit2.check(code, "create \(path)")
    unsafe git_repository_free(created)
    return try Repository(opening: path)
  }

  deinit { unsafe git_repository_free(handle) }

  package var isBare: Bool { unsafe git_repository_is_bare(handle) == 1 }

  /// Absolute, ends in a slash; `nil` in a bare repository.
  package var workingDirectory: String? {
    guard let directory = unsafe git_repository_workdir(handle) else { return nil }
    return unsafe String(cString: directory)
  }

  /// Absolute, ends in a slash: where HEAD and the index are.
  package var gitDirectory: String { unsafe String(cString: git_repository_path(handle)) }

  /// Absolute, ends in a slash: where objects and branches are; another one than `gitDirectory` in
  /// a linked worktree.
  package var commonDirectory: String {
    unsafe String(cString: git_repository_commondir(handle))
  }

  private static func objects(
    of handle: OpaquePointer, _ path: String
  ) throws(GitError) -> ObjectDatabase {
    var database: OpaquePointer?
    try unsafe Libgit2.check(git_repository_odb(&database, handle), "open \(path)")
    guard let database = unsafe database else { preconditionFailure("libgit2 gave no database") }
    return unsafe ObjectDatabase(owning: database)
  }

  private static func openingFailure(_ code: Int32, _ path: String) -> GitError {
    let reason = Libgit2.lastReason
    if reason.contains("unsupported extension") || reason.contains("unsupported repository version")
    {
      return .extensionUnsupported(path: path, reason: reason)
    }
    guard code == GIT_ENOTFOUND.rawValue else {
      return .libgit2(action: "open \(path)", code: code, reason: reason)
    }
    // What may not be looked at may be a repository.
    for place in [path, path + "/.git"] where unsafe access(place, R_OK | X_OK) != 0 {
      let failure = errno
      if failure == EACCES { return .system(call: "open", path: place, code: failure) }
    }
    return unsafe access(path, F_OK) == 0
      ? .notRepository(path: path) : .directoryMissing(path: path)
  }
}
