import GitModel
import Glibc
import Testing
import WorkingTree

@Suite struct FindTests {
  @Test func `tells files links and others apart`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("file", "12345", permissions: 0o644)
    try sandbox.write("program", "1", permissions: 0o755)
    try Disk.makeLink(sandbox.at("link"), to: "file")
    try Disk.makeFIFO(sandbox.at("fifo"))
    let tree = try sandbox.open()

    guard case .file(let file) = try tree.find(TreePath("file")) else {
      Issue.record("no file")
      return
    }
    #expect(file.size == 5)
    #expect(file.fileMode == .regular)
    #expect(try tree.status(of: TreePath("program"))?.fileMode == .executable)
    guard case .symbolicLink(let link) = try tree.find(TreePath("link")) else {
      Issue.record("no link")
      return
    }
    #expect(link.fileMode == .symbolicLink)
    #expect(try tree.find(TreePath("fifo")) == .other)
    #expect(try tree.find(TreePath("missing")) == .nothing)
    #expect(try tree.find(TreePath("missing/below/it")) == .nothing)
  }

  @Test func `gives what the system says of a file`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/file", "12345", permissions: 0o640)
    let expected = try Disk.status(sandbox.at("a/file"))
    let status = try #require(try sandbox.open().status(of: TreePath("a/file")))
    #expect(status.changed.seconds == expected.st_ctim.tv_sec)
    #expect(status.changed.nanoseconds == UInt32(expected.st_ctim.tv_nsec))
    #expect(status.modified.seconds == expected.st_mtim.tv_sec)
    #expect(status.modified.nanoseconds == UInt32(expected.st_mtim.tv_nsec))
    #expect(status.device == expected.st_dev)
    #expect(status.inode == expected.st_ino)
    #expect(status.mode == expected.st_mode)
    #expect(status.user == expected.st_uid)
    #expect(status.group == expected.st_gid)
    #expect(status.size == 5)
    #expect(status.linkCount == 1)
  }

  @Test func `names the parent that is no directory`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("a/file")
    try Disk.makeLink(sandbox.at("a/link"), to: "../../outside/directory")
    let tree = try sandbox.open()
    #expect(
      try tree.find(TreePath("a/file/x/y")) == .blockedByParent(TreePath("a/file")))
    #expect(
      try tree.find(TreePath("a/link/file")) == .blockedByParent(TreePath("a/link")))
    #expect(try tree.status(of: TreePath("a/link/file")) == nil)
  }

  @Test func `calls a directory empty that holds no file at any depth`() throws {
    let sandbox = try Sandbox()
    try Disk.makeDirectory(sandbox.at("empty/of/files"))
    try sandbox.write("full/of/files")
    let tree = try sandbox.open()
    #expect(try tree.find(TreePath("empty")) == .directory(isEmpty: true))
    #expect(try tree.find(TreePath("full")) == .directory(isEmpty: false))
  }

  @Test func `refuses a tree that is a link or missing`() throws {
    let sandbox = try Sandbox()
    try Disk.makeLink(sandbox.directory + "/link", to: "tree")
    #expect(throws: WorkingTreeError.self) {
      _ = try WorkingTree(opening: sandbox.directory.description + "/link")
    }
    #expect(throws: WorkingTreeError.self) {
      _ = try WorkingTree(opening: sandbox.directory.description + "/missing")
    }
  }
}
