package import GitModel
internal import Glibc

/// A file that waits in a staging directory for its place in the working tree.
package struct StagedFile: Hashable, Sendable {
  let number: Int
  let isLink: Bool
}

/// A private directory (0700) on the working tree's file system in which new files are completed.
///
/// One at a time per directory: the caller holds the checkout's lock. What a killed run left is
/// removed when the directory is opened.
package struct Staging: ~Copyable {
  /// Up to here each file is synced by itself; beyond that, one call for the whole file system is
  /// faster.
  package static let separateSyncCountMax = 16
  /// A file that is there from a commit's first change until all of it is on the disk.
  static let marker = EntryName(staged: "moving")

  let root: Descriptor
  let directory: String
  let device: UInt64
  /// The group that files made in the directory get.
  let group: UInt32
  private var count = 0
  private var unsynced: [StagedFile] = []

  /// Makes the directory where it is missing; the one above it must be there.
  package init(directory: String) throws(WorkingTreeError) {
    guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw .cannot(operation: "make the directory", path: directory, code: errno)
    }
    let number = repeatWhileInterrupted { unsafe Glibc.open(directory, Descriptor.readFlags) }
    guard number >= 0 else { throw .cannot(operation: "open", path: directory, code: errno) }
    let root = Descriptor(owning: number)
    let status = try root.status(describing: directory)
    guard status.user == geteuid() else { throw .foreignStaging(directory: directory) }
    guard fchmod(number, status.mode & S_ISGID | 0o700) == 0 else {
      throw .cannot(operation: "make private", path: directory, code: errno)
    }
    try Self.removeAll(in: root, directory)
    self.directory = directory
    device = status.device
    group = status.mode & S_ISGID != 0 ? status.group : getegid()
    self.root = root
  }

  /// A new regular file, to be filled and then handed to `finish`.
  package mutating func makeFile(executable: Bool) throws(WorkingTreeError) -> StagedFileWriter {
    let name = nextName()
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    // git's own permissions: the umask decides what others may do.
    let permissions: mode_t = executable ? 0o777 : 0o666
    let parent = root.number
    let number = repeatWhileInterrupted {
      unsafe name.withCString { unsafe openat(parent, $0, flags, permissions) }
    }
    guard number >= 0 else { throw .cannot(operation: "create", path: directory, code: errno) }
    return StagedFileWriter(
      file: StagedFile(number: count, isLink: false), directory: directory,
      descriptor: Descriptor(owning: number))
  }

  package mutating func finish(_ writer: consuming StagedFileWriter) -> StagedFile {
    let file = writer.file
    unsynced.append(file)
    return file
  }

  /// A new symbolic link; `target` is what git stores for it.
  package mutating func makeLink(to target: [UInt8]) throws(WorkingTreeError) -> StagedFile {
    guard !target.isEmpty && target.count < PATH_MAX && !target.contains(0) else {
      throw .impossibleLinkTarget(byteCount: target.count)
    }
    let name = nextName()
    let parent = root.number
    let characters = target.map { CChar(bitPattern: $0) } + [0]
    let result = unsafe name.withCString { unsafe symlinkat(characters, parent, $0) }
    guard result == 0 else { throw .cannot(operation: "make a link", path: directory, code: errno) }
    let file = StagedFile(number: count, isLink: true)
    unsynced.append(file)
    return file
  }

  /// All of a file or link at once; a submodule has no content, and is no file.
  package mutating func write(
    _ mode: FileMode, content: [UInt8]
  ) throws(WorkingTreeError) -> StagedFile {
    precondition(mode != .submodule, "a submodule is a directory of its own")
    if mode == .symbolicLink { return try makeLink(to: content) }
    var writer = try makeFile(executable: mode == .executable)
    try writer.append(content)
    return finish(writer)
  }

  /// Everything that is finished to the disk.
  package mutating func sync() throws(WorkingTreeError) {
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
  package mutating func removeAll() throws(WorkingTreeError) {
    try Self.removeAll(in: root, directory)
    unsynced = []
  }

  var isSynced: Bool { unsynced.isEmpty }

  func name(of file: StagedFile) -> EntryName { EntryName(staged: "\(file.number)") }

  private mutating func nextName() -> EntryName {
    count += 1
    return EntryName(staged: "\(count)")
  }

  private func sync(_ file: StagedFile) throws(WorkingTreeError) {
    let name = name(of: file)
    let number = repeatWhileInterrupted {
      unsafe name.withCString { unsafe openat(root.number, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
    }
    guard number >= 0 else { throw .cannot(operation: "open", path: directory, code: errno) }
    try Descriptor(owning: number).sync(describing: directory)
  }

  private static func removeAll(
    in root: borrowing Descriptor, _ directory: String
  ) throws(WorkingTreeError) {
    var names: [[UInt8]] = []
    try root.forEachName(describing: directory) { name throws(WorkingTreeError) in
      names.append(name)
      return true
    }
    for name in names where name != marker.path {
      let code = root.unlink(EntryNames(name).last)
      guard code == 0 || code == ENOENT else {
        throw .cannot(operation: "empty", path: directory, code: code)
      }
    }
  }
}
