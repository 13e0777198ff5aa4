import CGit2
package import GitModel
import Glibc

/// The git directory of a submodule whose commits we bring, where git keeps it: `.git/modules/NAME`. It is left as
/// `git submodule update --depth 1` leaves it: HEAD is detached at the pinned commit.
///
/// Never opened as a repository: what its configuration says has no say here.
package struct SubmoduleDirectory: Hashable, Sendable {
  /// In a directory that we made.
  private static let markName = "distro-submodule"

  /// What is there.
  package enum Standing: Equatable, Sendable {
    case absent
    case ours
    /// A repository that someone made, or one that the name leads into.
    case foreign
  }

  /// Where HEAD is.
  package enum Head: Equatable, Sendable {
    case none
    case detached(ObjectID)
    case branch
  }

  /// Of the repository that the submodule belongs to; ends in a slash.
  private let outer: String
  /// Absolute, ends in a slash.
  package let path: String

  /// `name`: checked to be a harmless path. `gitDirectory`: that of the repository it belongs to, with a slash at its end.
  package init(_ name: TreePath, below gitDirectory: String) {
    outer = gitDirectory
    path = gitDirectory + "modules/" + String(decoding: name.bytes, as: UTF8.self) + "/"
  }

  package var objectsDirectory: String { path + "objects/" }

  package var standing: Standing {
    get throws(GitError) {
      // A link is nobody's of ours, and a repository on the way is that of another submodule.
      let modules = outer + "modules"
      var place = modules
      for component in path.dropFirst(modules.count + 1).split(separator: "/") {
        guard try Self.kind(of: place) != nil else { return .absent }
        guard try Self.kind(of: place) == S_IFDIR, try Self.kind(of: place + "/HEAD") == nil else {
          return .foreign
        }
        place += "/" + component
      }
      guard let kind = try Self.kind(of: place) else { return .absent }
      guard kind == S_IFDIR, try Self.kind(of: path + Self.markName) == S_IFREG else {
        return .foreign
      }
      return .ours
    }
  }

  private static func kind(of path: String) throws(GitError) -> mode_t? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw SystemFile.failure("lstat", path)
    }
    return status.st_mode & S_IFMT
  }

  package var head: Head {
    get throws(GitError) {
      guard let bytes = try SystemFile.read(path + "HEAD") else { return .none }
      let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
      if let id = ObjectID(hexBytes: line) { return .detached(id) }
      // As it was made: on a branch without a commit.
      let first = Array("ref: refs/heads/main".utf8)
      guard line.elementsEqual(first) else { return .branch }
      return try Self.kind(of: path + "refs/heads/main") == nil ? .none : .branch
    }
  }

  // MARK: - What is made of it

  /// Makes it, whole or not at all, where nothing is.
  package func make() throws(GitError) {
    let build = outer + "distro-new-submodule"
    try SystemFile.removeTree(build)
    for name in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
      try SystemFile.makeDirectories(above: "\(build)/\(name)/x")
    }
    let settings =
      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
      + "\tlogallrefupdates = true\n"
    for (name, text) in [
      ("HEAD", "ref: refs/heads/main\n"), ("config", settings),
      (Self.markName, "The commits of this submodule are brought by distro.\n"),
    ] {
      try SystemFile.create("\(build)/\(name)", Array(text.utf8))
    }
    for name in ["objects/info", "objects/pack", "objects", "refs/heads", "refs", ""] {
      try SystemFile.synchronize("\(build)/\(name)")
    }
    try SystemFile.makeDirectories(above: String(path.dropLast()))
    try SystemFile.rename(build, to: String(path.dropLast()))
    try SystemFile.synchronize(SystemFile.parent(of: String(path.dropLast())))
  }

  /// Gives back the locks of git's that a killed run of ours had taken on our submodules, at all levels.
  package static func removeLeftovers(
    below gitDirectory: String, _ lock: borrowing CheckoutLock
  ) throws(GitError) {
    let modules = gitDirectory + "modules"
    guard try kind(of: modules) == S_IFDIR else { return }
    var pending = [modules + "/"]
    while let directory = pending.popLast() {
      guard try kind(of: directory + markName) != nil else {
        // A part of a name, unless somebody else's repository is there.
        guard try kind(of: directory + "HEAD") == nil else { continue }
        for name in try SystemFile.names(in: directory)
        where try kind(of: directory + name) == S_IFDIR {
          pending.append(directory + name + "/")
        }
        continue
      }
      for name in ["index.lock", "HEAD.lock"] where try lock.isOurs(directory + name) {
        try SystemFile.remove(directory + name)
      }
      if try kind(of: directory + "modules") == S_IFDIR { pending.append(directory + "modules/") }
    }
  }

  /// Its objects alone.
  package func objects() throws(GitError) -> ObjectDatabase {
    try ObjectDatabase(objectsDirectory: objectsDirectory, others: [])
  }

  /// Takes in a commit with all that it needs; durable when it returns.
  package func take(
    _ commit: ObjectID, tree: ObjectID, from source: ObjectDatabase,
    _ permissions: SharedPermissions
  ) throws(GitError) {
    if try objects().contains(commit) { return }
    let needed =
      [ObjectReference(id: commit, kind: .commit)] + (try source.objects(of: tree, notIn: nil))
    var stream = PackStream(needed, from: source)
    let receiver = try PackReceiver(objectsDirectory: objectsDirectory)
    while let piece = try stream.next() { try receiver.append(piece) }
    try receiver.finish().place(permissions)
  }

  /// Under git's lock on HEAD, which the caller holds; durable when it returns.
  package func detachHead(at id: ObjectID) throws(GitError) {
    try replace("HEAD", with: id.hex + "\n")
  }

  /// That the commit's parents are not there.
  package func addShallow(_ id: ObjectID) throws(GitError) {
    let old = try SystemFile.read(path + "shallow") ?? []
    let lines = Set(old.split(separator: UInt8(ascii: "\n")).map { Array($0) })
    guard !lines.contains(Array(id.hex.utf8)) else { return }
    let all = lines.union([Array(id.hex.utf8)]).map { String(decoding: $0, as: UTF8.self) }
    try replace("shallow", with: all.sorted().joined(separator: "\n") + "\n")
  }

  private func replace(_ name: String, with text: String) throws(GitError) {
    let temporary = path + "distro-" + name
    try SystemFile.remove(temporary)
    try SystemFile.create(temporary, Array(text.utf8))
    try SystemFile.rename(temporary, to: path + name)
    try SystemFile.synchronize(String(path.dropLast()))
  }

  /// `directory`: of the submodule's files, as its git directory names it.
  package func setWorkTree(_ directory: String) throws(GitError) {
    try Self.set("core.worktree", directory, in: path + "config")
  }

  /// What makes git take the submodule for initialised.
  package func activate(_ name: TreePath) throws(GitError) {
    let key = "submodule.\(String(decoding: name.bytes, as: UTF8.self)).active"
    try Self.set(key, "true", in: outer + "config")
  }

  private static func set(
    _ key: String, _ value: String, in file: String
  ) throws(GitError) {
    try Libgit2.prepare()
    var configuration: OpaquePointer?
    try unsafe Libgit2.check(git_config_open_ondisk(&configuration, file), "read \(file)")
    defer { unsafe git_config_free(configuration) }
    var buffer = unsafe git_buf()
    defer { unsafe git_buf_dispose(&buffer) }
    if unsafe git_config_get_string_buf(&buffer, configuration, key) == 0,
      unsafe String(cString: buffer.ptr) == value
    {
      return
    }
    try unsafe Libgit2.check(git_config_set_string(configuration, key, value), "write \(file)")
  }
}

extension ObjectDatabase {
  /// From here on the submodule's objects are read as well.
  package func add(_ submodule: SubmoduleDirectory) throws(GitError) {
    try add(submodule.objectsDirectory)
  }

  /// The objects of a repository together with those of its submodules, and those of a pack on its way in.
  package convenience init(
    of repository: Repository, _ submodules: Set<SubmoduleDirectory>, incoming: QuarantinedPack?
  ) throws(GitError) {
    let others =
      submodules.map(\.objectsDirectory).sorted() + (incoming.map { [$0.directory] } ?? [])
    try self.init(objectsDirectory: repository.commonDirectory + "objects/", others: others)
  }
}
