import GitModel
import Testing
import WorkingTree

@Suite struct ReadTests {
  @Test func `reads a file in pieces of the buffers size`() throws {
    let sandbox = try Sandbox()
    let content = (0..<100_000).map { UInt8($0 % 251) }
    try sandbox.write("file", Bytes(content))
    var reader = try sandbox.open().open(TreePath("file"))
    #expect(reader.status.size == 100_000)
    var buffer = [UInt8](repeating: 0, count: 30_000)
    var (read, counts): ([UInt8], [Int]) = ([], [])
    var count = try reader.read(into: &buffer)
    while count > 0 {
      read += buffer[..<count]
      counts.append(count)
      count = try reader.read(into: &buffer)
    }
    #expect(read == content)
    #expect(counts == [30_000, 30_000, 30_000, 10_000])
  }

  @Test func `reads on from a file that is replaced meanwhile`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("file", "old content")
    var reader = try sandbox.open().open(TreePath("file"))
    try sandbox.commit(Change(writes: ["file": (.regular, "new")]))
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = try reader.read(into: &buffer)
    #expect(Bytes(Array(buffer[..<count])) == "old content")
  }

  @Test func `opens neither links nor FIF os nor directories`() throws {
    let sandbox = try Sandbox()
    try sandbox.write("directory/file")
    try Disk.makeLink(sandbox.at("link"), to: "directory/file")
    try Disk.makeLink(sandbox.at("parent"), to: "directory")
    try Disk.makeFIFO(sandbox.at("fifo"))
    let tree = try sandbox.open()
    for name in ["link", "parent/file", "fifo", "directory", "missing", "missing/file"] {
      let path = try TreePath(name)
      #expect(throws: WorkingTreeError.notAFile(path)) { _ = try tree.open(path) }
    }
  }

  @Test func `gives a links target as it is`() throws {
    let sandbox = try Sandbox()
    let target = Bytes([0xff, 0x0a, 0x2f] + [UInt8](repeating: 0x61, count: 4_000))
    try Disk.makeLink(sandbox.at("link"), to: target)
    try sandbox.write("file")
    let tree = try sandbox.open()
    #expect(try tree.linkTarget(of: TreePath("link")) == target.bytes)
    #expect(try tree.content(of: TreePath("link"), byteCountMax: 4_003) == target.bytes)
    #expect(throws: WorkingTreeError.notAFile(try TreePath("file"))) {
      _ = try tree.linkTarget(of: TreePath("file"))
    }
  }

  @Test func `refuses more content than the limit`() throws {
    let sandbox = try Sandbox()
    let content = [UInt8](repeating: 7, count: 200_000)
    try sandbox.write("file", Bytes(content))
    try sandbox.write("empty", "")
    let tree = try sandbox.open()
    let path = try TreePath("file")
    #expect(try tree.content(of: path, byteCountMax: 200_000) == content)
    #expect(throws: WorkingTreeError.tooLarge(path, byteCountMax: 199_999)) {
      _ = try tree.content(of: path, byteCountMax: 199_999)
    }
    #expect(try tree.content(of: TreePath("empty"), byteCountMax: 0).isEmpty)
  }
}
