import CGit2
import Glibc

/// Whether we may work on a repository that somebody else could have prepared: git's rule since
/// CVE-2022-24765.
///
/// Source: git-config(1), `safe.directory`; git's setup.c (`ensure_valid_ownership`).
struct Ownership {
  /// Of `safe.directory`, in the order in which they stand; an empty one forgets those before it.
  let safeDirectories: [String]
  let home: String?

  /// Whether `safe.directory` names the working directory, or the git directory of a bare repository.
  func allows(_ path: String) -> Bool {
    let path = Self.withoutSlash(path)
    let groups = safeDirectories.split(separator: "", omittingEmptySubsequences: false)
    let effective = groups.last ?? []
    return effective.contains { value in
      if value == "*" { return true }
      let name = value.hasPrefix("~/") ? (home ?? "~") + value.dropFirst() : value
      if name.hasSuffix("/*") { return path.hasPrefix(name.dropLast()) }
      return Self.withoutSlash(name) == path
    }
  }

  /// Whether the file is ours; to root, also what belongs to the user that called sudo.
  static func isOurs(_ path: String) throws(GitError) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return true }
      throw SystemFile.failure("lstat", path)
    }
    let user = geteuid()
    if status.st_uid == user { return true }
    let caller = environment("SUDO_UID").flatMap { uid_t($0) }
    return user == 0 && status.st_uid == caller
  }

  static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  private static func withoutSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }
}

extension Repository {
  func requireOwner() throws(GitError) {
    let place = workingDirectory ?? gitDirectory
    for part in [place, gitDirectory, path + "/.git"] where try !Ownership.isOurs(part) {
      let ownership = Ownership(
        safeDirectories: try Self.protectedValues(of: "safe.directory"),
        home: Ownership.environment("HOME"))
      guard ownership.allows(place) else { throw .ownedByAnotherUser(path: path) }
      return
    }
  }

  /// A repository of version 1 may say what its object names are.
  func requireObjectFormat() throws(GitError) {
    guard let format = try configured("extensions.objectformat") else { return }
    guard format.lowercased() == "sha1" else { throw .objectFormatUnsupported(path: path) }
  }

  /// Whether objects may be missing by intention: they are with the remote that it was cloned from.
  ///
  /// Source: git-config(1), `remote.<name>.promisor`; older ones, `extensions.partialClone`.
  package func isPartialClone() throws(GitError) -> Bool {
    if try configured("extensions.partialclone") != nil { return true }
    var names = unsafe git_strarray()
    try unsafe Libgit2.check(git_remote_list(&names, handle), "list remotes")
    defer { unsafe git_strarray_dispose(&names) }
    for index in 0..<(unsafe names.count) {
      guard let name = unsafe names.strings[index] else { continue }
      let isPromisor = try configured("remote.\(unsafe String(cString: name)).promisor")
      if isPromisor == "true" { return true }
    }
    return false
  }

  /// A value of the configuration, empty where it is a name alone; `nil`: not set. Not of a snapshot, which parses all of
  /// the configuration once more.
  func configured(_ name: String) throws(GitError) -> String? {
    var configuration: OpaquePointer?
    try unsafe Libgit2.check(
      git_repository_config(&configuration, handle), "read the configuration of \(path)")
    defer { unsafe git_config_free(configuration) }
    var entry: UnsafeMutablePointer<git_config_entry>?
    let code = unsafe git_config_get_entry(&entry, configuration, name)
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try Libgit2.check(code, "read \(name)")
    defer { unsafe git_config_entry_free(entry) }
    guard let value = unsafe entry?.pointee.value else { return "" }
    return unsafe String(cString: value)
  }

  /// All values that the system's and the user's configuration have, not the repository's own.
  private static func protectedValues(of name: String) throws(GitError) -> [String] {
    var configuration: OpaquePointer?
    try unsafe Libgit2.check(git_config_open_default(&configuration), "read configuration")
    defer { unsafe git_config_free(configuration) }
    var iterator: OpaquePointer?
    let code = unsafe git_config_multivar_iterator_new(&iterator, configuration, name, nil)
    if code == GIT_ENOTFOUND.rawValue { return [] }
    try Libgit2.check(code, "read \(name)")
    defer { unsafe git_config_iterator_free(iterator) }
    var values: [String] = []
    var entry: UnsafeMutablePointer<git_config_entry>?
    while unsafe git_config_next(&entry, iterator) == 0 {
      guard let value = unsafe entry?.pointee.value else { continue }
      values.append(unsafe String(cString: value))
    }
    return values
  }
}
