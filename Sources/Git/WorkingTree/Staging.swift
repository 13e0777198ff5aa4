package import GitModel
internal import Glibc

/// A file that waits in a staging directory for its place in the working tree.
package struct StagedFile: Hashable, Sendable {
  let number: Int
  let isLink: Bool
  /// Of the finished file: another one at its path is someone else's work.
  let status: FileStatus
}

/// A private directory (0700) on the working tree's file system in which new files are completed,
/// and which takes what they replace until the step can no longer be taken back.
///
/// One at a time per directory: the caller holds the checkout's lock. What a killed run left is
/// removed when the directory is opened; a step that it had begun is not, see `interrupted`.
@safe
package final class Staging {
  /// Up to here each file is synced by itself; beyond that, one call for the whole file system is
  /// faster.
  package static let separateSyncCountMax = 16
  let root: Descriptor
  let directory: String
  let device: UInt64
  private var count = 0
  private var unsynced: [StagedFile] = []
  /// The moves of a step that did not come to its end: they are to be settled or put back first.
  private(set) var moves: MoveList?
  /// Files of other programs that had to stay here.
  package private(set) var keptPaths: [String] = []

  /// Makes the directory where it is missing; the one above it must be there.
  package init(directory: String) throws(WorkingTreeError) {
    guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw .cannot(operation: "make the directory", path: directory, code: errno)
    }
    let number = repeatWhileInterrupted { unsafe Glibc.open(directory, Descriptor.readFlags) }
    guard number >= 0 else { throw .cannot(operation: "open", path: directory, code: errno) }
    root = Descriptor(owning: number)
    let status = try root.status(describing: directory)
    guard status.user == geteuid() else { throw .foreignStaging(directory: directory) }
    // Only where it is needed, and never with the set-group-ID bit: RestrictSUIDSGID of systemd.exec(5)
    // forbids that, also where the bit is there already.
    if status.mode & 0o777 != 0o700 {
      guard fchmod(number, 0o700) == 0 else {
        throw .cannot(operation: "make private", path: directory, code: errno)
      }
    }
    self.directory = directory
    device = status.device
    moves = try readMoves()
    if moves == nil { try removeAll() }
  }

  /// What the caller noted of a step that did not come to its end; `nil`: there is none.
  package var interrupted: [UInt8]? { moves?.note }

  /// A new regular file, to be filled and then handed to `finish`: with the group, the ACL and the
  /// permissions that it would have if it were made where `path` is.
  package func makeFile(
    executable: Bool, for path: TreePath, in tree: borrowing WorkingTree
  ) throws(WorkingTreeError) -> StagedFileWriter {
    let names = EntryNames(path)
    let walk = try tree.walk(to: names)
    let next = names[walk.depth]
    let parent = walk.directory
    // git's own permissions: the umask, or a default ACL, decides what others may do.
    let permissions: mode_t = executable ? 0o777 : 0o666
    let name = nextName()
    guard let descriptor = try makeFile(name, permissions, like: parent) else {
      throw .otherFileSystem(directory: next.parentDescription(tree.directory))
    }
    return StagedFileWriter(number: count, directory: directory, descriptor: descriptor)
  }

  package func finish(
    _ writer: consuming StagedFileWriter
  ) throws(WorkingTreeError) -> StagedFile {
    let status = try writer.descriptor.status(describing: directory)
    let file = StagedFile(number: writer.number, isLink: false, status: status)
    unsynced.append(file)
    return file
  }

  /// A new symbolic link; `target` is what git stores for it.
  package func makeLink(to target: [UInt8]) throws(WorkingTreeError) -> StagedFile {
    guard !target.isEmpty && target.count < PATH_MAX && !target.contains(0) else {
      throw .impossibleLinkTarget(byteCount: target.count)
    }
    let name = nextName()
    let parent = root.number
    let characters = target.map { CChar(bitPattern: $0) } + [0]
    let result = unsafe name.withCString { unsafe symlinkat(characters, parent, $0) }
    guard result == 0 else { throw .cannot(operation: "make a link", path: directory, code: errno) }
    guard let status = try root.status(name) else {
      throw .cannot(operation: "make a link", path: directory, code: ENOENT)
    }
    let file = StagedFile(number: count, isLink: true, status: status)
    unsynced.append(file)
    return file
  }

  /// All of a file or link at once; a submodule has no content, and is no file.
  package func write(
    _ mode: FileMode, content: [UInt8], for path: TreePath, in tree: borrowing WorkingTree
  ) throws(WorkingTreeError) -> StagedFile {
    precondition(mode != .submodule, "a submodule is a directory of its own")
    if mode == .symbolicLink { return try makeLink(to: content) }
    var writer = try makeFile(executable: mode == .executable, for: path, in: tree)
    try writer.append(content)
    return try finish(writer)
  }

  /// Everything that is finished to the disk.
  package func sync() throws(WorkingTreeError) {
    if unsynced.count > Self.separateSyncCountMax {
      try root.syncFileSystem(describing: directory)
    } else {
      for file in unsynced where !file.isLink { try sync(file) }
      // A link has no descriptor of its own to sync; it goes to the disk with its directory.
      if unsynced.contains(where: \.isLink) { try root.sync(describing: directory) }
    }
    unsynced = []
  }

  /// For a change that is not to be made after all.
  package func removeAll() throws(WorkingTreeError) {
    precondition(moves == nil, "what is in the way of others' files is put back first")
    var names: [[UInt8]] = []
    try root.forEachName(describing: directory) { name throws(WorkingTreeError) in
      names.append(name)
      return true
    }
    for name in names where !Self.isPermanent(name) {
      try removeSlot(EntryNames(name).last)
    }
    unsynced = []
  }

  var isSynced: Bool { unsynced.isEmpty }

  /// A number that no file has yet.
  func reserve() -> Int {
    count += 1
    return count
  }

  static func slot(_ number: Int) -> EntryName { EntryName(staged: "\(number)") }

  private func nextName() -> EntryName { Self.slot(reserve()) }

  private func sync(_ file: StagedFile) throws(WorkingTreeError) {
    let name = Self.slot(file.number)
    let number = repeatWhileInterrupted {
      unsafe name.withCString { unsafe openat(root.number, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
    }
    guard number >= 0 else { throw .cannot(operation: "open", path: directory, code: errno) }
    try Descriptor(owning: number).sync(describing: directory)
  }

  /// What a slot took: a file, or a directory that holds nothing but directories.
  func removeSlot(_ name: EntryName) throws(WorkingTreeError) {
    let code = root.unlink(name)
    if code == EISDIR { return try root.removeEmptyTree(name) }
    guard code == 0 || code == ENOENT else {
      throw .cannot(operation: "empty", path: directory, code: code)
    }
  }

  /// Takes a file that belongs to someone else out of a slot's way.
  func keep(_ slot: EntryName) throws(WorkingTreeError) {
    for number in 1...Int.max {
      let kept = EntryName(staged: "kept-\(number)")
      let code = root.rename(slot, to: root, kept, .noReplace)
      if code == EEXIST { continue }
      guard code == 0 else { throw .cannot(operation: "keep", path: directory, code: code) }
      keptPaths.append(directory + "/kept-\(number)")
      return
    }
  }
}

// The list of moves: there from before the first until the step can no longer be taken back, or is.
extension Staging {
  func begin(_ moves: MoveList) throws(WorkingTreeError) {
    let (new, name) = (EntryName(staged: MoveList.name + ".new"), EntryName(staged: MoveList.name))
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
    let number = repeatWhileInterrupted {
      unsafe new.withCString { unsafe openat(root.number, $0, flags, 0o600) }
    }
    guard number >= 0 else { throw .cannot(operation: "create", path: directory, code: errno) }
    var writer = StagedFileWriter(
      number: 0, directory: directory, descriptor: Descriptor(owning: number))
    try writer.append(moves.encoded)
    try writer.descriptor.sync(describing: directory)
    let code = root.rename(new, to: root, name, .replace)
    guard code == 0 else { throw .cannot(operation: "begin", path: directory, code: code) }
    self.moves = moves
    try root.sync(describing: directory)
  }

  func end() throws(WorkingTreeError) {
    let code = root.unlink(EntryName(staged: MoveList.name))
    guard code == 0 || code == ENOENT else {
      throw .cannot(operation: "end", path: directory, code: code)
    }
    moves = nil
  }

  private func readMoves() throws(WorkingTreeError) -> MoveList? {
    let name = EntryName(staged: MoveList.name)
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC
    let number = repeatWhileInterrupted {
      unsafe name.withCString { unsafe openat(root.number, $0, flags) }
    }
    guard number >= 0 else {
      if errno == ENOENT { return nil }
      throw .cannot(operation: "read", path: directory, code: errno)
    }
    return MoveList(
      decoding: try Descriptor(owning: number).readToEnd(describing: directory))
  }
}
