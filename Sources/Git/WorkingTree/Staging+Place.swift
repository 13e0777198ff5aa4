internal import Glibc

extension Staging {
  private static let name = "distro-staging"
  /// Below the working tree it must be invisible, to git too, which reads this file in it.
  private static let ignoredName = ".gitignore"
  private static let ignored = Array("# distro: files of a step that is being made\n*\n".utf8)

  /// Below the git directory, or, where that is on another file system, below the working tree: a file can be
  /// renamed on one file system only.
  package convenience init(
    for tree: borrowing WorkingTree, gitDirectory: String
  ) throws(WorkingTreeError) {
    var status = stat()
    guard unsafe stat(gitDirectory, &status) == 0 else {
      throw .cannot(operation: "examine", path: gitDirectory, code: errno)
    }
    let treeDevice = try tree.root.status(describing: tree.directory).device
    let isInside = UInt64(status.st_dev) != treeDevice
    let directory =
      isInside
      ? Self.path("." + Self.name, in: tree.directory) : Self.path(Self.name, in: gitDirectory)
    if isInside { try Self.requireOurs(directory) }
    try self.init(directory: directory)
    if isInside { try hide() }
  }

  private static func path(_ name: String, in directory: String) -> String {
    directory + (directory.hasSuffix("/") ? "" : "/") + name
  }

  /// A directory of that name that someone else has put there is not ours to empty.
  private static func requireOurs(_ directory: String) throws(WorkingTreeError) {
    let number = repeatWhileInterrupted { unsafe Glibc.open(directory, Descriptor.readFlags) }
    guard number >= 0 else {
      if errno == ENOENT { return }
      throw .cannot(operation: "open", path: directory, code: errno)
    }
    let descriptor = Descriptor(owning: number)
    var isEmpty = true
    try descriptor.forEachName(describing: directory) { _ throws(WorkingTreeError) in
      isEmpty = false
      return false
    }
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC
    let file = unsafe openat(number, ignoredName, flags)
    guard file >= 0 else {
      if isEmpty { return }
      throw .foreignStaging(directory: directory)
    }
    guard try Descriptor(owning: file).readToEnd(describing: directory) == ignored else {
      throw .foreignStaging(directory: directory)
    }
  }

  private func hide() throws(WorkingTreeError) {
    let name = EntryName(staged: Self.ignoredName)
    guard try root.status(name) == nil else { return }
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let number = unsafe openat(root.number, Self.ignoredName, flags, 0o600)
    guard number >= 0 else { throw .cannot(operation: "create", path: directory, code: errno) }
    var writer = StagedFileWriter(
      number: 0, directory: directory, descriptor: Descriptor(owning: number))
    try writer.append(Self.ignored)
  }

  static func isPermanent(_ name: [UInt8]) -> Bool {
    name.starts(with: Array("kept-".utf8)) || name == Array(ignoredName.utf8)
  }
}
