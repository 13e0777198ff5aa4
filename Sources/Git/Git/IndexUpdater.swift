import CGit2
package import GitModel
import Glibc

/// What the index has at a path.
package enum IndexEntry: Hashable, Sendable {
  case nothing
  case entry(TreeEntry)
  /// A merge left it with several sides.
  case unmerged
}

/// A file's status as the index keeps it, so that git need not read the file to see that it is
/// unchanged.
package struct IndexedStatus: Hashable, Sendable {
  package struct Time: Hashable, Sendable {
    package let seconds: Int
    package let nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int) {
      self.seconds = seconds
      self.nanoseconds = nanoseconds
    }
  }

  package let changed: Time
  package let modified: Time
  package let device: UInt64
  package let inode: UInt64
  package let user: UInt32
  package let group: UInt32
  package let byteCount: Int

  package init(
    changed: Time, modified: Time, device: UInt64, inode: UInt64, user: UInt32, group: UInt32,
    byteCount: Int
  ) {
    self.changed = changed
    self.modified = modified
    self.device = device
    self.inode = inode
    self.user = user
    self.group = group
    self.byteCount = byteCount
  }
}

/// A path that the index is to have, after its file was written; submodules have no status.
package struct IndexUpsert: Hashable, Sendable {
  package let path: TreePath
  package let entry: TreeEntry
  package let status: IndexedStatus?

  package init(path: TreePath, entry: TreeEntry, status: IndexedStatus?) {
    self.path = path
    self.entry = entry
    self.status = status
  }
}

/// The `.git/index` of a checkout, kept in memory between updates: reading costs about 50 ms at
/// 100,000 files, and is repeated only when the file has changed.
@safe
package final class IndexUpdater {
  private static let attemptCountMax = 3
  private let path: String
  private let handle: OpaquePointer

  package init(gitDirectory: String) throws(GitError) {
    try Libgit2.prepare()
    path = gitDirectory + (gitDirectory.hasSuffix("/") ? "" : "/") + "index"
    var opened: OpaquePointer?
    // Opened by its path, it has no repository: it looks at no working tree and checks no object
    // when it is written.
    let code = unsafe git_index_open(&opened, path)
    guard code == 0, let opened = unsafe opened else {
      throw .indexUnreadable(path: path, reason: Libgit2.lastReason)
    }
    unsafe handle = unsafe opened
  }

  deinit { unsafe git_index_free(handle) }

  /// Reads the file again if another program changed it.
  package func refresh() throws(GitError) { try read(isForced: false) }

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

  /// Takes paths out, puts others in and writes the file, under git's lock; a path that is not
  /// there is no error.
  ///
  /// What another program changed in the index meanwhile is kept. Afterwards the file is flushed to
  /// the disk.
  /// - Throws: `locked`, `indexBusy`.
  package func update(removals: [TreePath], upserts: [IndexUpsert]) throws(GitError) {
    for _ in 0..<Self.attemptCountMax {
      let stamp = try FileStamp(path)
      try read(isForced: false)
      do throws(GitError) {
        for path in removals { try remove(path) }
        for upsert in upserts { try insert(upsert) }
        try distrustRacilyClean(stamp)
        guard try FileStamp(path) == stamp else {
          try read(isForced: true)
          continue
        }
        try write()
        return
      } catch {
        try read(isForced: true)
        throw error
      }
    }
    throw .indexBusy(path: path)
  }

  private func read(isForced: Bool) throws(GitError) {
    guard unsafe git_index_read(handle, isForced ? 1 : 0) == 0 else {
      throw .indexUnreadable(path: path, reason: Libgit2.lastReason)
    }
  }

  private func write() throws(GitError) {
    let code = unsafe git_index_write(handle)
    if code == GIT_ELOCKED.rawValue { throw .locked(path: path + ".lock") }
    try Libgit2.check(code, "write \(path)")
    try SystemFile.synchronize(path)
  }

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

  /// A file written in the very tick of the clock in which the index was last written may have
  /// changed after; writing a newer index would make it look clean for ever. A size of 0 makes git
  /// compare its content once.
  ///
  /// Source: git's Documentation/technical/racy-git.txt.
  private func distrustRacilyClean(_ stamp: FileStamp) throws(GitError) {
    for position in 0..<entryCount {
      guard let found = unsafe git_index_get_byindex(handle, position) else { continue }
      var entry = unsafe found.pointee
      let modified = unsafe (Int(entry.mtime.seconds), Int(entry.mtime.nanoseconds))
      let isRacy = modified >= stamp.modified && modified.0 != 0
      guard isRacy, unsafe entry.file_size != 0 else { continue }
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

/// By what it is seen that another program wrote a file.
private struct FileStamp: Equatable {
  let modified: (Int, Int)
  private let inode: UInt
  private let byteCount: Int

  /// A file that is not there has a stamp too.
  init(_ path: String) throws(GitError) {
    var status = stat()
    if unsafe stat(path, &status) != 0 {
      guard errno == ENOENT else { throw SystemFile.failure("stat", path) }
      status = stat()
    }
    modified = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    inode = UInt(status.st_ino)
    byteCount = Int(status.st_size)
  }

  static func == (left: FileStamp, right: FileStamp) -> Bool {
    left.modified == right.modified && left.inode == right.inode
      && left.byteCount == right.byteCount
  }
}
