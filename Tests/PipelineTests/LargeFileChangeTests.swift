import Applier
import Foundation
import Git
import GitModel
import LargeFiles
import MessageFormat
import Signer
import TestSupport
import Testing

/// What people and accidents do to large files of a checkout.
struct LargeFileChangeTests {
  private func path(_ name: String, _ pipeline: Pipeline) -> String {
    pipeline.checkout.path + "/" + name
  }

  @Test func `a large file that was changed by hand is a local change`() throws {
    let pipeline = try Pipeline.shipping()
    try pipeline.source.commit(["big.bin": try pipeline.largeFile("second\n")])
    try pipeline.checkout.write("big.bin", "First\n")
    #expect(try pipeline.checkout.status() == " M big.bin")
    try pipeline.expectRefusal(.localChanges) { try pipeline.send() }
    #expect(try pipeline.text("big.bin") == "First\n")
  }

  @Test(arguments: ["content", "pointer"])
  func `a large file that was written anew as it was is none`(form: String) throws {
    let pipeline = try Pipeline.shipping()
    try pipeline.source.commit(["big.bin": try pipeline.largeFile("second\n")])
    let text = form == "content" ? "first\n" : try pipeline.largeFile("first\n")
    try pipeline.checkout.write("big.bin", text)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "second\n")
    try pipeline.expectEqual()
  }

  @Test func `a file without version control that holds the content is no obstacle`() throws {
    let pipeline = try Pipeline.shipping()
    try pipeline.checkout.write("new.bin", "second\n")
    try pipeline.source.commit(["new.bin": try pipeline.largeFile("second\n")])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.checkout.write("other.bin", "other\n")
    try pipeline.source.commit(["other.bin": try pipeline.largeFile("third\n")])
    try pipeline.expectRefusal(.localChanges) { try pipeline.send() }
  }

  @Test func `a content that the machine has lost is asked for by name and comes with a snapshot`()
    throws
  {
    let pipeline = try Pipeline.shipping()
    try FileManager.default.removeItem(atPath: path(".git/lfs", pipeline))
    try pipeline.source.git("mv", "big.bin", "moved.bin")
    try pipeline.source.commit([:])
    try pipeline.expectRefusal(.largeFileMissing) { try pipeline.send() }
    #expect(try pipeline.text("big.bin") == "first\n")
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    #expect(try pipeline.text("moved.bin") == "first\n")
    try pipeline.expectEqual()
  }

  @Test func `a damaged content in the store is dropped and never written`() throws {
    let pipeline = try Pipeline.shipping()
    let stored = pipeline.checkoutStore.path(of: try Pipeline.pointer(to: "first\n"))
    try Data("First\n".utf8).write(to: URL(fileURLWithPath: stored))
    try pipeline.source.git("mv", "big.bin", "moved.bin")
    try pipeline.source.commit([:])
    try pipeline.send()
    #expect(try pipeline.deliver().map(\.refusal) == [.largeFileMissing])
    #expect(try pipeline.text("big.bin") == "first\n")
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    #expect(try pipeline.text("moved.bin") == "first\n")
    try pipeline.expectEqual()
  }

  @Test func `a snapshot writes the contents of files that came as pointers before`() throws {
    let folder = try PipelineFolder()
    let first = try Pipeline(PipelineOptions(), in: folder, makingSource: true)
    let text = try first.largeFile("first\n")
    try first.source.commit([
      ".gitattributes": Pipeline.attributes, "big.bin": text, "dir/same.bin": text, "plain": text,
      "edited.bin": text,
    ])
    #expect(try first.push().map(\.refusal) == [nil])
    let pipeline = try Pipeline(PipelineOptions(largeFiles: .ship), in: folder)
    #expect(try pipeline.text("big.bin") == text)
    try pipeline.checkout.write("edited.bin", "edited\n")
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "first\n")
    #expect(try pipeline.text("dir/same.bin") == "first\n")
    #expect(try pipeline.text("plain") == text)
    #expect(try pipeline.checkout.status() == " M edited.bin")
    try pipeline.checkout.git("checkout", "-q", "--", "edited.bin")
    try pipeline.expectEqual()
  }

  @Test func `a machine that is new, or was off, gets the contents`() throws {
    let pipeline = try Pipeline.shipping()
    for number in 1...3 {
      try pipeline.source.commit(["\(number).bin": try pipeline.largeFile("\(number)\n")])
    }
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try FileManager.default.removeItem(atPath: pipeline.checkout.path)
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.push()
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    for number in 1...3 { #expect(try pipeline.text("\(number).bin") == "\(number)\n") }
    #expect(try pipeline.text("big.bin") == "first\n")
    try pipeline.expectEqual()
  }
}
