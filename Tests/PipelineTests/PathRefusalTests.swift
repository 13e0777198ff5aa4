import Foundation
import Git
import GitModel
import MessageFormat
import TestSupport
import Testing

/// Paths and links that lead out of a checkout, into its `.git`, or past the eyes of whoever reads a terminal.
struct PathRefusalTests {
  static let unsafe: [[UInt8]] =
    [
      ".git", ".GIT", ".giT", "git~1", "GIT~2", ".git ", ".git.", ".git::$INDEX_ALLOCATION",
      ".gi\u{200c}t", "\u{feff}.git", "..", ".", "a\\..\\b", "x\\.git\\config",
    ].map { Array($0.utf8) }

  /// As a directory of the tree, and as a file in a subdirectory.
  @Test(arguments: [false, true])
  func `refuses unsafe paths in packs`(isNested: Bool) throws {
    let pipeline = try Pipeline.started()
    let blob = Array("[core]\n\tfsmonitor = touch /tmp/pwned\n".utf8)
    let id = try ObjectDatabase.hash(.blob, blob)
    for name in Self.unsafe {
      let inner =
        isNested
        ? treeBytes([("100644", name, id)]) : treeBytes([("100644", Array("config".utf8), id)])
      let outer = treeBytes([
        ("40000", isNested ? Array("sub".utf8) : name, try ObjectDatabase.hash(.tree, inner))
      ])
      let forgery = try pipeline.forgery(tree: outer, with: [(.tree, inner), (.blob, blob)])
      try pipeline.expectRefusal(.unsafePath, of: forgery)
    }
    #expect(try pipeline.checkout.status() == "")
  }

  @Test func `refuses unsafe paths in snapshots`() throws {
    let pipeline = try Pipeline()
    let blob = Array("x\n".utf8)
    let root = treeBytes([("100644", Array(".git".utf8), try ObjectDatabase.hash(.blob, blob))])
    let forgery = try pipeline.forgery(tree: root, with: [(.blob, blob)])
    try pipeline.expectRefusal(.unsafePath, of: forgery)
    #expect(!FileManager.default.fileExists(atPath: pipeline.checkout.path))
  }

  @Test(arguments: [
    ".git/config", ".GIT/config", "git~1/config", "../escape", "b/../../escape", "/etc/escape",
    "b/.git/hooks/post-checkout", "b//c", "b/./c",
  ])
  func `refuses unsafe paths in patch text`(path: String) throws {
    let pipeline = try Pipeline.started()
    var forgery = try pipeline.forgery(to: try pipeline.source.commit(["innocent": "x\n"]))
    let text = """
      diff --git "a/\(path)" "b/\(path)"
      new file mode 100644
      index 0000000000000000000000000000000000000000..587be6b4c3f93f93c489c0111bba5596147a26cb
      --- /dev/null
      +++ "b/\(path)"
      @@ -0,0 +1 @@
      +x

      """
    try forgery.setContent(.patch, Array(text.utf8))
    try pipeline.expectRefusal(.unsafePath, of: forgery)
    // The same text with a safe path is applied: it was the path alone.
    forgery.message.previous = ContentDigest(of: forgery.message.encoded())
    forgery.message.sequence += 1
    try forgery.setContent(.patch, Array(text.replacing(path, with: "innocent").utf8))
    try pipeline.deposit(try forgery.sealed())
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
  }

  @Test func `refuses unusual paths unless the configuration takes them`() throws {
    for name in ["line\nbreak", "esc\u{1b}[2J", "back\\slash"] {
      let strict = try Pipeline.started()
      try strict.source.commit([name: "x\n"])
      try strict.send()
      try strict.expectRefusal(.unusualPath) {}
      let open = try Pipeline.started(PipelineOptions(unusualPaths: .allow))
      try open.source.commit([name: "x\n"])
      #expect(try open.push().map(\.refusal) == [nil])
      try open.expectEqual()
    }
  }

  // MARK: - Symbolic links

  private func commitLink(_ target: String, at name: String, _ pipeline: Pipeline) throws {
    try pipeline.source.write(name + ".tmp", "")
    try pipeline.source.remove(name + ".tmp")
    try FileManager.default.createSymbolicLink(
      atPath: pipeline.source.path + "/" + name, withDestinationPath: target)
    try pipeline.source.commit([:])
  }

  @Test(arguments: [
    "/etc/passwd", "../outside", "../../x", "b/../../x", ".git/config", "x/../../y",
  ])
  func `refuses links that lead outside`(target: String) throws {
    let pipeline = try Pipeline.started()
    try commitLink(target, at: "link", pipeline)
    try pipeline.send()
    try pipeline.expectRefusal(.symbolicLink) {}
  }

  @Test func `takes links that stay inside`() throws {
    let pipeline = try Pipeline.started()
    try commitLink("../a", at: "b/link", pipeline)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `refuses all links where the configuration says so`() throws {
    let pipeline = try Pipeline.started(PipelineOptions(symbolicLinks: .refuse))
    try commitLink("a", at: "link", pipeline)
    try pipeline.send()
    try pipeline.expectRefusal(.symbolicLink) {}
  }

  @Test(arguments: [".gitmodules", ".gitattributes", ".gitignore"])
  func `refuses links that git itself would follow`(name: String) throws {
    let pipeline = try Pipeline.started(PipelineOptions(symbolicLinks: .any))
    let target = Array("a".utf8)
    let id = try ObjectDatabase.hash(.blob, target)
    let root = treeBytes([("120000", Array(name.utf8), id)])
    let forgery = try pipeline.forgery(tree: root, with: [(.blob, target)])
    try pipeline.expectRefusal(.symbolicLink, of: forgery)
  }

  @Test(arguments: [
    [UInt8](), Array("a\0b".utf8), [UInt8](repeating: UInt8(ascii: "a"), count: 4_096),
  ])
  func `refuses targets that no link can have`(target: [UInt8]) throws {
    let pipeline = try Pipeline.started(PipelineOptions(symbolicLinks: .any))
    let id = try ObjectDatabase.hash(.blob, target)
    let root = treeBytes([("120000", Array("link".utf8), id)])
    let forgery = try pipeline.forgery(tree: root, with: [(.blob, target)])
    try pipeline.expectRefusal(.symbolicLink, of: forgery)
  }

  @Test func `takes the longest target that a link can have`() throws {
    let pipeline = try Pipeline.started()
    try commitLink(String(repeating: "x/", count: 2_047) + "x", at: "link", pipeline)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  /// The classic: a link in one message, a file below it in the next.
  @Test func `never writes through a link`() throws {
    let pipeline = try Pipeline.started(PipelineOptions(symbolicLinks: .any))
    let outside = pipeline.folder.path("outside")
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
    try commitLink(outside, at: "link", pipeline)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.remove("link")
    try pipeline.source.commit(["link/file": "x\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
  }
}
