import GitModel
import Glibc
import Testing
import WorkingTree

@Suite struct ReplaceTests {
  @Test func `writes files programs and links with git's permissions`() throws {
    let sandbox = try Sandbox()
    let usual = try UsualPermissions(in: sandbox)
    try sandbox.commit(
      Change(writes: [
        "file": (.regular, "1"), "new/program": (.executable, "2"),
        "link": (.symbolicLink, "new/program"),
      ]))
    #expect(
      try sandbox.snapshot() == [
        "file": "file \(String(usual.regular, radix: 8)) 1",
        "new": "directory \(String(usual.directory, radix: 8))",
        "new/program": "file \(String(usual.executable, radix: 8)) 2",
        "link": "link new/program",
      ])
    #expect(try Disk.names(in: sandbox.staging).isEmpty)
  }

  /// In a process of its own, since the umask is the process's.
  @Test func `leaves to the umask what others may do`() async throws {
    await #expect(processExitsWith: .success) {
      umask(0o007)
      let sandbox = try Sandbox()
      try sandbox.commit(
        Change(writes: ["file": (.regular, ""), "new/program": (.executable, "")]))
      #expect(
        try sandbox.snapshot() == [
          "file": "file 660 ", "new": "directory 770", "new/program": "file 770 ",
        ])
      #expect(try Disk.status(sandbox.staging).st_mode & 0o777 == 0o700)
    }
  }

  @Test func `changes only the executable bit`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("file", "same")
    try sandbox.commit(Change(writes: ["file": (.executable, "same")]))
    #expect(try sandbox.open().status(of: TreePath("file"))?.fileMode == .executable)
    try sandbox.commit(Change(writes: ["file": (.regular, "same")]))
    #expect(try sandbox.open().status(of: TreePath("file"))?.fileMode == .regular)
  }

  @Test func `removes files and the directories that they leave empty`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/b/c/file")
    try sandbox.write("a/b/d/file")
    try sandbox.write("a/untracked")
    try sandbox.commit(Change(removals: ["a/b/c/file", "a/b/d/file", "never/was/there"]))
    #expect(try Set(sandbox.snapshot().keys) == ["a", "a/untracked"])
  }

  @Test func `keeps a directory that gets new files for its old ones`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/b/old")
    let inode = try Disk.status(sandbox.at("a/b")).st_ino
    try sandbox.commit(Change(removals: ["a/b/old"], writes: ["a/b/new": (.regular, "new")]))
    #expect(try Disk.status(sandbox.at("a/b")).st_ino == inode)
  }

  @Test func `turns a directory into a file and back`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x/a")
    try sandbox.write("x/deep/er/b")
    try Disk.makeDirectory(sandbox.at("x/untracked/but/empty"))
    try sandbox.commit(
      Change(removals: ["x/a", "x/deep/er/b"], writes: ["x": (.regular, "file")]))
    #expect(try Set(sandbox.snapshot().keys) == ["x"])
    try sandbox.commit(Change(removals: ["x"], writes: ["x/a/b": (.regular, "back")]))
    #expect(try Set(sandbox.snapshot().keys) == ["x", "x/a", "x/a/b"])
  }

  @Test func `turns a directory into a link and back`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x/a")
    try sandbox.commit(Change(removals: ["x/a"], writes: ["x": (.symbolicLink, "../outside")]))
    #expect(try sandbox.snapshot() == ["x": "link ../outside"])
    try sandbox.commit(Change(removals: ["x"], writes: ["x/secret": (.regular, "ours")]))
    #expect(try Set(sandbox.snapshot().keys) == ["x", "x/secret"])
    #expect(try Disk.read(sandbox.outside + "/secret") == Array("secret".utf8))
  }

  @Test func `turns a file into a link and back`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x")
    try sandbox.commit(Change(writes: ["x": (.symbolicLink, "y")]))
    #expect(try sandbox.snapshot() == ["x": "link y"])
    try sandbox.commit(Change(writes: ["x": (.regular, "file")]))
    #expect(try Disk.read(sandbox.at("x")) == Array("file".utf8))
    #expect(try Set(sandbox.snapshot().keys) == ["x"])
  }

  @Test func `only writes a path that is removed and written`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x")
    try sandbox.commit(Change(removals: ["x"], writes: ["x": (.regular, "new")]))
    #expect(try Disk.read(sandbox.at("x")) == Array("new".utf8))
  }

  @Test func `makes a directory for a submodule and leaves one that is there`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("was/file")
    try sandbox.write("full/content")
    try sandbox.write("file")
    try sandbox.commit(
      Change(
        removals: ["was/file", "file"], submodules: ["new/module", "was", "full", "file"]))
    #expect(
      try Set(sandbox.snapshot().keys) == [
        "new", "new/module", "was", "full", "full/content", "file",
      ])
    #expect(try sandbox.open().find(TreePath("file")) == .directory(isEmpty: true))
  }

  @Test func `removes a submodules directory only if it is empty`() throws {
    let sandbox = try Sandbox()
    try Disk.makeDirectory(sandbox.at("empty"))
    try sandbox.write("full/content")
    try sandbox.commit(Change(removals: ["empty", "full"]))
    #expect(try Set(sandbox.snapshot().keys) == ["full", "full/content"])
  }

  @Test func `takes deep long and unprintable paths`() throws {
    let sandbox = try Sandbox()
    let deep = Bytes(Array((0..<60).map { "level\($0)" }.joined(separator: "/").utf8))
    let long = Bytes([UInt8](repeating: 0x6e, count: 250))
    let odd = Bytes([0xff, 0xfe, 0x0a, 0x22, 0x5c, 0x20, 0x1b, 0x2f, 0x80])
    for path in [deep, long, odd, long + "/" + long + "/" + odd] {
      let own = try Sandbox()
      try own.commit(Change(writes: [path: (.regular, "new")]))
      #expect(try Disk.read(own.at(path)) == Array("new".utf8))
      let treePath = try TreePath(path.bytes)
      #expect(try own.open().content(of: treePath, byteCountMax: 3) == Array("new".utf8))
      try own.commit(Change(removals: [path]))
      #expect(try own.snapshot().isEmpty)
    }
    #expect(try sandbox.snapshot().isEmpty)
  }

  @Test(arguments: [15, 16, 17, 300]) func `writes few and many files`(count: Int) throws {
    let sandbox = try Sandbox()
    var change = Change()
    for number in 0..<count {
      change.writes["directory\(number % 40)/file\(number)"] = (.regular, "\(number)")
    }
    try sandbox.commit(change)
    for (path, (_, content)) in change.writes {
      #expect(try Disk.read(sandbox.at(path)) == content.bytes)
    }
  }

  @Test func `stages content that comes in pieces`() throws {
    let sandbox = try Sandbox()
    let (staging, path) = (try sandbox.openStaging(), try TreePath("file"))
    var writer = try staging.makeFile(executable: false, for: path, in: sandbox.open())
    for number in 0..<100 { try writer.append([UInt8](repeating: UInt8(number), count: 999)) }
    let file = try staging.finish(writer)
    try staging.sync()
    let write = StagedChange.Write(path: path, file: file, expected: .nothing)
    try sandbox.open().commit(StagedChange(writes: [write]), from: staging)
    let expected = (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 999) }
    #expect(try Disk.read(sandbox.at("file")) == expected)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a directory to any group"))
  func `gives new files the group that their directory hands down`() throws {
    let sandbox = try Sandbox()
    try Disk.makeDirectory(sandbox.at("shared"))
    try Disk.setOwner(sandbox.at("shared"), user: 0, group: 4_321)
    try Disk.setPermissions(sandbox.at("shared"), 0o2775)
    try sandbox.commit(
      Change(writes: ["shared/a": (.regular, "1"), "shared/new/b": (.executable, "2")]))
    let usual = try UsualPermissions(in: sandbox)
    for (path, permissions) in [
      ("shared/a", usual.regular), ("shared/new", usual.directory | S_ISGID),
      ("shared/new/b", usual.executable),
    ] as [(Bytes, mode_t)] {
      let status = try Disk.status(sandbox.at(path))
      #expect(status.st_gid == 4_321)
      #expect(status.st_mode & 0o7777 == permissions)
    }
  }
}
