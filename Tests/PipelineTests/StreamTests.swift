import Foundation
import Git
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Long streams of changes, each of which must arrive as it was.
struct StreamTests {
  /// 612 awkward changes: each one's old side and then its new side are pushed, whatever came before.
  @Test(arguments: [".s", ".m"])
  func `every case arrives with its tree`(variant: String) throws {
    let cases = PatchCases.all().filter { $0.name.hasSuffix(variant) }
    #expect(cases.count == 306)
    let pipeline = try Pipeline(
      PipelineOptions(unusualPaths: .allow, symbolicLinks: .any, source: ["--bare"]))
    try CaseStream.write(cases, into: pipeline.source)
    var last: ObjectID?
    var pushes = 0
    for (number, each) in cases.enumerated() {
      for side in ["A", "B"] {
        let revision = try CaseStream.revision("\(each.name)-\(side)", in: pipeline.source)
        defer { last = revision.tree }
        if last == revision.tree { continue }
        let receipts = try pipeline.push(to: revision.id.hex)
        pushes += 1
        let outcome = receipts.map(\.outcome)
        #expect(
          outcome == [.applied(Snapshot(revision: revision.id, tree: revision.tree))],
          "\(each.name)-\(side)")
        guard side == "B" && number % 8 == 0 else { continue }
        #expect(try pipeline.checkout.id() == revision.id, "\(each.name)")
        #expect(try pipeline.checkout.status() == "", "\(each.name)")
      }
    }
    // The others are where a side is the same as the one before.
    #expect(pushes > 550)
    #expect(try pipeline.checkout.status() == "")
    let complaints = try pipeline.checkout.fsck()
    #expect(complaints == "")
  }

  /// One message a commit; the applier catches up in steps of many, and says of each that it came to it.
  @Test func `thousand commits arrive one by one`() throws {
    let pipeline = try Pipeline(PipelineOptions(symbolicLinks: .any))
    let commits = try PipelineHistory.make(1_000, in: pipeline.source)
    #expect(commits.count == 1_000)
    for (number, commit) in commits.enumerated() {
      try pipeline.send(to: commit.hex)
      guard number < 30 || number % 125 == 124 else { continue }
      let waiting = try pipeline.sealedMessages().count
      let receipts = try pipeline.deliver()
      #expect(receipts.count == waiting)
      #expect(receipts.map(\.revision) == Array(commits[(number + 1 - waiting)...number]))
      #expect(receipts.allSatisfy { $0.refusal == nil })
      try #require(try pipeline.checkout.id() == commit)
      #expect(try pipeline.checkout.status() == "")
    }
    try pipeline.expectEqual()
    try pipeline.checkout.git("gc", "-q")
    #expect(try pipeline.checkout.fsck() == "")
  }

  @Test func `thousand commits arrive as one full history`() throws {
    let pipeline = try Pipeline(PipelineOptions(history: .full, symbolicLinks: .any))
    try PipelineHistory.make(1_000, in: pipeline.source, seed: 2)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    let list = ["rev-list", "--all", "--parents"]
    let expected = try pipeline.source.run(["rev-list", "main", "--parents"]).output
    #expect(try pipeline.checkout.run(list).output == expected)
  }
}

/// The cases as two branches each, `NAME-A` and `NAME-B`, written by `git fast-import`.
enum CaseStream {
  static func write(_ cases: [PatchCase], into repository: PipelineRepository) throws {
    let path = repository.program.folder.path("cases.stream")
    try Data().write(to: URL(fileURLWithPath: path))
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    for each in cases {
      for (side, files) in [("A", each.old), ("B", each.new)] {
        try output.write(contentsOf: Data(commit(files, to: "\(each.name)-\(side)")))
      }
    }
    try output.close()
    let script = "git fast-import --quiet < '\(path)' && rm '\(path)'"
    let shell = PipelineProgram("/bin/sh", in: repository.program.folder)
    let result = try shell.run(["-c", script], in: repository.path)
    guard result.status == 0 else { throw ProgramFailure(arguments: [script], result: result) }
  }

  private static func commit(_ files: PatchCase.Files, to branch: String) -> [UInt8] {
    var stream = Array(
      "commit refs/heads/\(branch)\ncommitter T <t@t> 1700000000 +0000\ndata 1\nx\ndeleteall\n".utf8
    )
    for (path, file) in files {
      let name = TreePath.quoted(path)
      guard file.mode != .submodule else {
        let id = String(decoding: file.content, as: UTF8.self)
        stream += "M \(file.mode.octal) \(id) \(name)\n".utf8
        continue
      }
      stream += "M \(file.mode.octal) inline \(name)\ndata \(file.content.count)\n".utf8
      stream += file.content
      stream.append(10)
    }
    stream.append(10)
    return stream
  }

  static func revision(
    _ branch: String, in source: PipelineRepository
  ) throws -> (id: ObjectID, tree: ObjectID) {
    let repository = try Repository(opening: source.path)
    let id = try repository.resolve("refs/heads/" + branch)
    return (id, try repository.objects.commit(id).tree)
  }
}
