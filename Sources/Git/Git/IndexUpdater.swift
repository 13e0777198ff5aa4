import CGit2
package import GitModel
import Glibc

/// The `.git/index` of a checkout, kept in memory between updates: reading costs about 50 ms at
/// 100,000 files, and is repeated only when the file has changed.
@safe
package final class IndexUpdater {
  private static let copyName = "distro-index"

  private let file: IndexFile
  private let handle: OpaquePointer
  /// Of the file whose content is in memory; `nil`: what is there must be read again.
  private var stamp: FileStamp?

  /// - Throws: `indexUnreadable`, which `rebuild` mends; `indexUnsupported`.
  package init(gitDirectory: String) throws(GitError) {
    try Libgit2.prepare()
    let directory = gitDirectory + (gitDirectory.hasSuffix("/") ? "" : "/")
    file = IndexFile(path: directory + "index", copyPath: directory + Self.copyName)
    // Both may be a killed run's: not whole, and libgit2's lock on a file that is ours alone.
    try SystemFile.remove(file.copyPath + ".lock")
    try SystemFile.remove(file.copyPath)
    var opened: OpaquePointer?
    // Opened by its path, it has no repository: it looks at no working tree and checks no object
    // when it is written.
    let code = unsafe git_index_open(&opened, file.copyPath)
    guard code == 0, let opened = unsafe opened else {
      throw .indexUnreadable(path: file.path, reason: Libgit2.lastReason)
    }
    unsafe handle = unsafe opened
  }

  deinit { unsafe git_index_free(handle) }

  /// Reads the file again if another program changed it. True: so it was.
  /// - Throws: `indexUnreadable`, `indexUnsupported`.
  @discardableResult
  package func refresh() throws(GitError) -> Bool {
    guard try stamp != FileStamp(file.path) else { return false }
    stamp = nil
    let copied = try file.copy()
    if unsafe git_index_read(handle, 1) != 0 { try readAnother(because: Libgit2.lastReason) }
    stamp = copied
    return true
  }

  /// Where libgit2 cannot read what git can.
  private func readAnother(because reason: String) throws(GitError) {
    if try file.addChecksum(), unsafe git_index_read(handle, 1) == 0 { return }
    guard try file.isSound() else { throw .indexUnreadable(path: file.path, reason: reason) }
    throw .indexUnsupported(path: file.path, form: IndexForm(libgit2Reason: reason))
  }

  /// Whether the file is there.
  package var isThere: Bool {
    get throws(GitError) { try FileStamp(file.path) != .missing }
  }

  /// Makes it what `tree` says, as `git reset` does, for an index that cannot be read: in memory, until
  /// it is written.
  package func rebuild(from tree: ObjectID?, of repository: Repository) throws(GitError) {
    stamp = nil
    let current = try FileStamp(file.path)
    try unsafe Libgit2.check(git_index_clear(handle), "rebuild \(file.path)")
    if let tree {
      var raw = tree.raw
      var object: OpaquePointer?
      let code = unsafe git_tree_lookup(&object, repository.handle, &raw)
      if code == GIT_ENOTFOUND.rawValue { throw .objectMissing(tree) }
      try Libgit2.check(code, "read tree \(tree)")
      defer { unsafe git_tree_free(object) }
      try unsafe Libgit2.check(
        git_index_read_tree(handle, object), "rebuild \(file.path)")
    }
    stamp = current
  }

  package func entry(at path: TreePath) -> IndexEntry {
    let name = Self.name(path)
    if let found = unsafe git_index_get_bypath(handle, name, 0) {
      // A mode that no tree has would be a damaged index; it differs from whatever the caller
      // expects.
      guard let mode = FileMode(rawValue: unsafe found.pointee.mode) else { return .unmerged }
      return .entry(TreeEntry(mode: mode, id: ObjectID(unsafe found.pointee.id)))
    }
    let isUnmerged = (1...3).contains { unsafe git_index_get_bypath(handle, name, $0) != nil }
    return isUnmerged ? .unmerged : .nothing
  }

  package var entryCount: Int { unsafe git_index_entrycount(handle) }

  /// Every path and what the index has there; `nil`: it is in the middle of a merge, or no path for us.
  package func entries() -> [(path: TreePath, entry: TreeEntry)]? {
    var entries: [(path: TreePath, entry: TreeEntry)] = []
    for position in 0..<entryCount {
      guard let found = unsafe git_index_get_byindex(handle, position),
        unsafe git_index_entry_stage(found) == 0,
        let mode = FileMode(rawValue: unsafe found.pointee.mode)
      else { return nil }
      let name = unsafe found.pointee.path
      let count = unsafe name.map { unsafe strlen($0) } ?? 0
      let bytes = unsafe Array(UnsafeRawBufferPointer(start: name, count: count))
      do throws(UnsafePath) {
        let entry = TreeEntry(mode: mode, id: ObjectID(unsafe found.pointee.id))
        entries.append((try TreePath(bytes), entry))
      } catch {
        return nil
      }
    }
    return entries
  }

  /// Takes paths out, puts others in and writes all of it to our copy, to the disk; a path that is not
  /// there is no error. `publish` makes it git's, `discard` forgets it.
  ///
  /// `lookedAt`: before the statuses were taken. The file gets this time, so that git looks again at what was
  /// changed in the same second after the look.
  package func prepare(
    removals: [TreePath], upserts: [IndexUpsert], lookedAt: IndexedStatus.Time? = nil
  ) throws(GitError) {
    guard let stamp else { preconditionFailure("what is changed was read") }
    self.stamp = nil
    for path in removals { try remove(path) }
    for upsert in upserts { try insert(upsert) }
    try distrustRacilyClean(
      stamp, except: Set(upserts.lazy.filter(\.isLargeFile).map(\.path.bytes)))
    try unsafe Libgit2.check(git_index_write(handle), "write \(file.copyPath)")
    if let lookedAt {
      let time = timespec(tv_sec: lookedAt.seconds, tv_nsec: lookedAt.nanoseconds)
      guard unsafe utimensat(AT_FDCWD, file.copyPath, [time, time], 0) == 0 else {
        throw SystemFile.failure("utimensat", file.copyPath)
      }
    }
    try SystemFile.synchronize(file.copyPath)
  }

  /// Only with git's lock on the index.
  package func publish(_ permissions: SharedPermissions) throws(GitError) {
    try permissions.adjust(file.copyPath)
    try SystemFile.rename(file.copyPath, to: file.path)
    try SystemFile.synchronize(SystemFile.parent(of: file.path))
    stamp = try FileStamp(file.path)
  }

  /// Of an index that was only looked at.
  package func removeCopy() throws(GitError) { try SystemFile.remove(file.copyPath) }

  /// What is in memory is not what the file has.
  package func discard() { stamp = nil }

  private func remove(_ path: TreePath) throws(GitError) {
    let name = Self.name(path)
    for stage in Int32(0)...3 where unsafe git_index_get_bypath(handle, name, stage) != nil {
      try unsafe Libgit2.check(
        git_index_remove(handle, name, stage), "remove \(path) from the index")
    }
  }

  private func insert(_ upsert: IndexUpsert) throws(GitError) {
    // An unmerged path would keep its other sides beside the new entry.
    if entry(at: upsert.path) == .unmerged { try remove(upsert.path) }
    var entry = unsafe git_index_entry()
    unsafe entry.mode = upsert.entry.mode.rawValue
    unsafe entry.id = upsert.entry.id.raw
    if let status = upsert.status {
      unsafe entry.ctime = Self.time(status.changed)
      unsafe entry.mtime = Self.time(status.modified)
      unsafe entry.dev = UInt32(truncatingIfNeeded: status.device)
      unsafe entry.ino = UInt32(truncatingIfNeeded: status.inode)
      unsafe entry.uid = status.user
      unsafe entry.gid = status.group
      unsafe entry.file_size = UInt32(truncatingIfNeeded: status.byteCount)
    }
    let code = unsafe Self.name(upsert.path).withUnsafeBufferPointer { name in
      unsafe entry.path = name.baseAddress
      return unsafe git_index_add(handle, &entry)
    }
    try Libgit2.check(code, "add \(upsert.path) to the index")
  }

  /// A file written in the second in which the index was last written may have changed after; writing a
  /// newer index would make it look clean for ever. A size of 0 makes git compare its content once. git
  /// compares whole seconds, unless it was built otherwise.
  ///
  /// Source: git's Documentation/technical/racy-git.txt.
  ///
  /// `largeFiles`: paths that git must not compare with their blob; their times are older than this index will be.
  private func distrustRacilyClean(
    _ stamp: FileStamp, except largeFiles: Set<[UInt8]>
  ) throws(GitError) {
    for position in 0..<entryCount {
      guard let found = unsafe git_index_get_byindex(handle, position) else { continue }
      var entry = unsafe found.pointee
      let seconds = unsafe Int(entry.mtime.seconds)
      let isRacy = seconds >= stamp.modified.seconds && seconds != 0
      guard isRacy, unsafe entry.file_size != 0 else { continue }
      if !largeFiles.isEmpty, let name = unsafe entry.path {
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
        if largeFiles.contains(bytes) { continue }
      }
      unsafe entry.file_size = 0
      try unsafe Libgit2.check(git_index_add(handle, &entry), "update the index")
    }
  }

  private static func name(_ path: TreePath) -> [CChar] {
    path.bytes.map { CChar(bitPattern: $0) } + [0]
  }

  private static func time(_ time: IndexedStatus.Time) -> git_index_time {
    git_index_time(
      seconds: Int32(truncatingIfNeeded: time.seconds),
      nanoseconds: UInt32(truncatingIfNeeded: time.nanoseconds))
  }
}
