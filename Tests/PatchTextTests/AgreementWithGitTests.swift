import Foundation
import GitModel
import PatchText
import Testing

@Suite struct AgreementWithGitTests {
  @Test func `git applies every case and reading it back applies it too`() throws {
    let cases = try CaseRepository(try PatchCases.all())
    for (number, pair) in cases.cases.enumerated() {
      let patch = try cases.patch(number)
      let text = patch.printed()
      let reread = try TextPatch(parsing: text, limits: .wide)
      #expect(reread == patch, "\(pair.name)")
      for section in reread.sections where section.content != .submodule {
        let old = section.old == nil ? nil : pair.old[section.path]
        let new = section.new == nil ? nil : pair.new[section.path]
        let content = try section.apply(to: old?.content ?? [], byteCountMax: 1 << 20)
        #expect(content == new?.content ?? [], "\(pair.name) \(section.path)")
      }
      try cases.repository.git("read-tree", "old-\(number)")
      try cases.repository.git("apply", "--cached", "--binary", input: text)
      let tree = try cases.repository.line("write-tree")
      #expect(
        try tree == cases.repository.line("rev-parse", "new-\(number)^{tree}"), "\(pair.name)")
    }
  }

  @Test func `git takes every case back`() throws {
    let cases = try CaseRepository(try PatchCases.all().filter { !$0.name.hasPrefix("path") })
    for (number, pair) in cases.cases.enumerated() {
      let text = try cases.patch(number).printed()
      try cases.repository.git("read-tree", "new-\(number)")
      try cases.repository.git("apply", "-R", "--cached", "--binary", input: text)
      let tree = try cases.repository.line("write-tree")
      #expect(
        try tree == cases.repository.line("rev-parse", "old-\(number)^{tree}"), "\(pair.name)")
    }
  }

  @Test func `git applies type changes to its working tree`() throws {
    let names = Set(PatchCases.typePairs.map(\.0).filter { !$0.contains("submodule") })
    let cases = try CaseRepository(try PatchCases.all().filter { names.contains($0.name) })
    #expect(cases.cases.count == names.count)
    let workTree = cases.repository.directory.appendingPathComponent("work")
    try FileManager.default.createDirectory(at: workTree, withIntermediateDirectories: true)
    for (number, pair) in cases.cases.enumerated() {
      let text = try cases.patch(number).printed()
      try cases.repository.git("read-tree", "--reset", "-u", "old-\(number)", workTree: workTree)
      try cases.repository.git("apply", "--index", "--binary", input: text, workTree: workTree)
      let difference = try cases.repository.git(
        "diff-index", "--name-only", "new-\(number)", workTree: workTree)
      #expect(difference.isEmpty, "\(pair.name)")
    }
  }

  /// git's own delta, made canonical by quoting the path, is read, applied and printed again.
  @Test func `reads deltas that git made`() throws {
    let pair = PatchCase(
      name: "delta", old: [try TreePath("m"): regular(PatchCases.binary)],
      new: [try TreePath("m"): regular(PatchCases.editedBinary)])
    let cases = try CaseRepository([pair])
    let text = try cases.repository.git(
      "diff-tree", "-p", "--binary", "--full-index", "old-0", "new-0")
    let canonical = String(decoding: text, as: UTF8.self)
      .replacing("a/m b/m", with: "\"a/m\" \"b/m\"")
    let patch = try TextPatch(parsing: Array(canonical.utf8), limits: .wide)
    #expect(patch.printed() == Array(canonical.utf8))
    let section = try #require(patch.sections.first)
    guard case .binary(let forward, _) = section.content else {
      Issue.record("no binary section")
      return
    }
    #expect(forward.kind == .delta)
    let content = try section.apply(to: PatchCases.binary, byteCountMax: 1 << 20)
    #expect(content == PatchCases.editedBinary)
  }
}

extension PatchLimits {
  static let wide = PatchLimits(
    patchByteCountMax: 1 << 28, sectionCountMax: 10_000, hunkCountMax: 1 << 20,
    pieceByteCountMax: 1 << 26)
}
