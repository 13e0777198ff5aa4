import GitModel
import Glibc
import Testing
import WorkingTree

/// A temporary directory with a tree, a staging directory, and something outside that must never
/// change.
final class Sandbox {
  let directory: Bytes
  let tree: Bytes
  let staging: Bytes
  let outside: Bytes

  init() throws {
    var template = ("/tmp/workingtree-XXXXXX" as Bytes).characters
    guard unsafe mkdtemp(&template) != nil else {
      throw Disk.Failure(operation: "mkdtemp", path: "/tmp", code: errno)
    }
    directory = Bytes(template.dropLast().map { UInt8(bitPattern: $0) })
    (tree, staging, outside) = (directory + "/tree", directory + "/staging", directory + "/outside")
    try Disk.makeDirectory(tree)
    try Disk.makeDirectory(outside)
    try Disk.write(outside + "/secret", "secret")
    try Disk.makeDirectory(outside + "/directory")
    try Disk.write(outside + "/directory/file", "outside")
  }

  deinit {
    do { try Disk.remove(directory) } catch { Issue.record(error) }
  }

  /// `$` is a path in the tree.
  func at(_ path: Bytes) -> Bytes { tree + "/" + path }

  /// Makes the file and the directories above it.
  func write(_ path: Bytes, _ content: Bytes = "old", permissions: mode_t = 0o666) throws {
    if let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) {
      try Disk.makeDirectory(at(Bytes(Array(path.bytes[..<slash]))))
    }
    try Disk.write(at(path), content, permissions: permissions)
  }

  func open() throws -> WorkingTree { try WorkingTree(opening: tree.description) }

  func openStaging() throws -> Staging { try Staging(directory: staging.description) }

  /// As the working tree reads it.
  func content(_ path: String) throws -> [UInt8] {
    try open().content(of: TreePath(path), byteCountMax: 1_000)
  }

  func commit(_ change: Change) throws {
    let staging = try openStaging()
    let tree = try open()
    try tree.putBack(from: staging) { _, _ in false }
    let staged = try change.staged(in: staging, for: tree)
    try staging.sync()
    try tree.commit(staged, from: staging)
  }

  func snapshot() throws -> [Bytes: String] { try Disk.snapshot(tree) }

  func outsideSnapshot() throws -> [Bytes: String] { try Disk.snapshot(outside) }
}

extension WorkingTree {
  /// A whole step, with nobody else about.
  func commit(_ change: StagedChange, from staging: Staging) throws {
    try exchange(
      change, from: staging, note: [], isExpected: { _, _ in true }, isOld: { _, _ in false })
    try settle(from: staging, keeping: change.submodules.map(\.path))
  }
}

/// What a commit is to do, before it is staged.
struct Change {
  var removals: [Bytes] = []
  var writes: [Bytes: (mode: FileMode, content: Bytes)] = [:]
  var submodules: [Bytes] = []

  func staged(
    in staging: Staging, for tree: borrowing WorkingTree, expected: ExpectedContent = .anything
  ) throws -> StagedChange {
    var staged = StagedChange()
    staged.removals = try removals.map {
      StagedChange.Place(path: try TreePath($0.bytes), expected: expected)
    }
    staged.submodules = try submodules.map {
      StagedChange.Place(path: try TreePath($0.bytes), expected: expected)
    }
    for (path, (mode, content)) in writes {
      let target = try TreePath(path.bytes)
      let file = try staging.write(mode, content: content.bytes, for: target, in: tree)
      staged.writes.append(.init(path: target, file: file, expected: expected))
    }
    return staged
  }
}

/// What the file system gives new files and directories under this process's umask.
struct UsualPermissions {
  let regular: mode_t
  let executable: mode_t
  let directory: mode_t

  init(in sandbox: Sandbox) throws {
    let file = sandbox.directory + "/usual"
    try Disk.write(file, "", permissions: 0o777)
    executable = try Disk.status(file).st_mode & 0o7777
    regular = executable & 0o666
    directory = executable
    try Disk.remove(file)
  }
}
