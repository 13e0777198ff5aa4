import GitModel
import Glibc
import Testing
import WorkingTree

/// What a commit refuses leaves the tree exactly as it was.
@Suite struct RefusalTests {
  private func refuse(
    _ change: Change, with expected: WorkingTreeError, in sandbox: Sandbox
  ) throws {
    let before = try sandbox.snapshot()
    #expect(throws: expected) { try sandbox.commit(change) }
    #expect(try sandbox.snapshot() == before)
  }

  @Test func `refuses to replace a directory with untracked content`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/tracked")
    try sandbox.write("a/deep/untracked")
    try sandbox.write("b")
    let change = Change(
      removals: ["a/tracked", "b"], writes: ["a": (.regular, "new"), "c": (.regular, "new")])
    try refuse(
      change,
      with: .directoryInTheWay(TreePath("a"), content: Array("a/deep/untracked".utf8)),
      in: sandbox)
  }

  @Test func `refuses to replace the checkout of a submodule`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("module/.git", "gitdir: elsewhere")
    let change = Change(removals: ["module"], writes: ["module": (.regular, "new")])
    try refuse(
      change, with: .directoryInTheWay(TreePath("module"), content: Array("module/.git".utf8)),
      in: sandbox)
  }

  @Test func `refuses to make a directory of an untracked file`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a")
    try sandbox.write("b")
    try Disk.makeFIFO(sandbox.at("fifo"))
    for name in ["a", "fifo"] as [Bytes] {
      let change = Change(
        removals: ["b"], writes: ["0": (.regular, "new"), name + "/x/y": (.regular, "new")])
      try refuse(change, with: .fileInTheWay(TreePath(name.bytes)), in: sandbox)
    }
  }

  @Test func `refuses a path that is file and directory`() throws {
    let sandbox = try Sandbox()
    let change = Change(writes: ["a": (.regular, ""), "a/b/c": (.regular, "")])
    try refuse(change, with: .contradiction(TreePath("a")), in: sandbox)
    let twice = Change(writes: ["a": (.regular, "")], submodules: ["a"])
    try refuse(twice, with: .contradiction(TreePath("a")), in: sandbox)
  }

  @Test(arguments: ["", "a\0b", Bytes([UInt8](repeating: 0x61, count: 4_096))])
  func `refuses a target that no link can have`(target: Bytes) throws {
    let sandbox = try Sandbox()
    try refuse(
      Change(writes: ["link": (.symbolicLink, target)]),
      with: .impossibleLinkTarget(byteCount: target.bytes.count), in: sandbox)
  }

  @Test func `finds what is in the way before it changes anything`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/untracked")
    let staging = try sandbox.openStaging()
    let tree = try sandbox.open()
    let change = try Change(writes: ["a": (.regular, "")]).staged(in: staging, for: tree)
    let path = try TreePath("a")
    let expected = WorkingTreeError.directoryInTheWay(path, content: Array("a/untracked".utf8))
    #expect(throws: expected) { try tree.check(change, from: staging) }
  }

  @Test(.enabled(if: SmallFileSystem.isAllowed, "needs to mount a file system"))
  func `leaves the tree untouched when the disk is full`() throws {
    let sandbox = try Sandbox()
    try SmallFileSystem.mount(on: sandbox.tree, byteCount: 1 << 20) {
      try sandbox.write("a")
      try sandbox.write("b")
      let before = try sandbox.snapshot()
      let directory = sandbox.tree.description + "/staging"
      let content = [UInt8](repeating: 1, count: 600_000)
      let (staging, path) = (try Staging(directory: directory), try TreePath("a"))
      let tree = try sandbox.open()
      _ = try staging.write(.regular, content: content, for: path, in: tree)
      do {
        _ = try staging.write(.regular, content: content, for: path, in: tree)
        Issue.record("there was room")
      } catch let error as WorkingTreeError {
        #expect(error.isFullDisk)
      }
      try staging.removeAll()
      #expect(try sandbox.snapshot().filter { $0.key != "staging" } == before)

      // There is room again.
      let file = try staging.write(.regular, content: content, for: path, in: tree)
      try staging.sync()
      let write = StagedChange.Write(path: path, file: file, expected: .anything)
      try tree.commit(StagedChange(writes: [write]), from: staging)
      #expect(try Disk.read(sandbox.at("a")) == content)
    }
  }

  @Test(.enabled(if: SmallFileSystem.isAllowed, "needs to mount a file system"))
  func `refuses a directory on another file system`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a")
    try Disk.makeDirectory(sandbox.at("mounted"))
    try SmallFileSystem.mount(on: sandbox.at("mounted"), byteCount: 1 << 20) {
      try refuse(
        Change(removals: ["a"], writes: ["mounted/new/file": (.regular, "")]),
        with: .otherFileSystem(directory: "\"mounted\""), in: sandbox)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
  func `refuses a staging directory of another user`() throws {
    let sandbox = try Sandbox()
    try Disk.makeDirectory(sandbox.staging)
    try Disk.setOwner(sandbox.staging, user: 65_534, group: 65_534)
    let path = sandbox.staging.description
    #expect(throws: WorkingTreeError.foreignStaging(directory: path)) {
      _ = try Staging(directory: path)
    }
  }

  @Test func `refuses a staging directory that is a link`() throws {
    let sandbox = try Sandbox()
    try Disk.makeLink(sandbox.staging, to: sandbox.outside)
    let path = sandbox.staging.description
    #expect(throws: WorkingTreeError.cannot(operation: "open", path: path, code: ENOTDIR)) {
      _ = try Staging(directory: path)
    }
    #expect(try sandbox.outsideSnapshot().count == 3)
  }

  /// In a process of its own, since root may write everywhere.
  @Test func `refuses a directory that it may not write to`() async throws {
    await #expect(processExitsWith: .success) {
      if geteuid() == 0 { try #require(setuid(65_534) == 0) }
      let sandbox = try Sandbox()
      try sandbox.write("a")
      try sandbox.write("locked/file")
      try Disk.setPermissions(sandbox.at("locked"), 0o555)
      defer {
        do { try Disk.setPermissions(sandbox.at("locked"), 0o755) } catch { Issue.record(error) }
      }
      let before = try sandbox.snapshot()
      for change in [
        Change(removals: ["a"], writes: ["locked/file": (.regular, "new")]),
        Change(removals: ["a", "locked/file"]),
        Change(removals: ["a"], submodules: ["locked/module"]),
      ] {
        do {
          try sandbox.commit(change)
          Issue.record("it was writable")
        } catch WorkingTreeError.cannot(_, _, let code) {
          #expect(code == EACCES)
        }
      }
      #expect(try sandbox.snapshot() == before)
    }
  }
}
