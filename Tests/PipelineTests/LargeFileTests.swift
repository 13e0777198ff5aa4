import Applier
import Foundation
import Git
import GitModel
import LargeFiles
import MessageFormat
import Signer
import TestSupport
import Testing

/// Contents of Git LFS that are shipped; no git-lfs is there, and git has no filter.
struct LargeFileTests {
  @Test(arguments: SignerRepository.History.allCases)
  func `a large file arrives as its content and git sees the pointer`(
    history: SignerRepository.History
  ) throws {
    let pipeline = try Pipeline.shipping(PipelineOptions(history: history))
    #expect(try pipeline.text("big.bin") == "first\n")
    #expect(try pipeline.checkoutStore.contains(try Pipeline.pointer(to: "first\n")))
    let pointer = try Pipeline.pointer(to: "first\n")
    #expect(
      try pipeline.checkout.git("cat-file", "blob", "HEAD:big.bin") + "\n"
        == String(decoding: pointer.text, as: UTF8.self))
    try pipeline.expectEqual()
    // git writes its index anew, and looks again.
    try pipeline.checkout.git("update-index", "--force-write-index")
    try pipeline.expectEqual()
    #expect(try pipeline.checkout.git("diff", "HEAD") == "")
  }

  @Test(arguments: SignerRepository.History.allCases)
  func `contents follow their pointers`(history: SignerRepository.History) throws {
    let pipeline = try Pipeline.shipping(PipelineOptions(history: history))
    let steps: [[String: String]] = [
      // The pointer alone, and other files with it or without.
      ["big.bin": try pipeline.largeFile("second\n")], ["a": "2\n"],
      ["a": "3\n", "dir/new.bin": try pipeline.largeFile(String(repeating: "x", count: 200_000))],
      // Back, and a file that is as long as its pointer.
      ["big.bin": try pipeline.largeFile("first\n")],
      ["odd.bin": try pipeline.largeFile(String(repeating: "y", count: 132))],
      ["odd.bin": try pipeline.largeFile(String(repeating: "z", count: 132))],
    ]
    for files in steps {
      try pipeline.source.commit(files)
      #expect(try pipeline.push().map(\.refusal) == [nil])
      try pipeline.expectEqual()
    }
    #expect(try pipeline.text("big.bin") == "first\n")
    #expect(try pipeline.text("dir/new.bin").count == 200_000)
    #expect(try pipeline.text("odd.bin") == String(repeating: "z", count: 132))
  }

  @Test func `several messages in one step bring what the last one leads to`() throws {
    let pipeline = try Pipeline.shipping()
    for number in 1...4 {
      try pipeline.source.commit([
        "big.bin": try pipeline.largeFile("\(number)\n"), "n": "\(number)\n",
      ])
      try pipeline.send()
    }
    try pipeline.source.git("mv", "big.bin", "moved.bin")
    try pipeline.source.commit([:])
    try pipeline.send()
    try pipeline.transfer()
    #expect(try pipeline.work() == 1)
    #expect(try pipeline.receipts().map(\.refusal) == [nil, nil, nil, nil, nil])
    #expect(try pipeline.text("moved.bin") == "4\n")
    try pipeline.expectEqual()
  }

  @Test func `a file that is moved or copied is not shipped again`() throws {
    let pipeline = try Pipeline.shipping()
    try pipeline.removeFromSource("first\n")
    try pipeline.source.git("mv", "big.bin", "moved.bin")
    try pipeline.source.commit([:])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("moved.bin") == "first\n")
    try pipeline.source.git("mv", "moved.bin", "again.bin")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: pipeline.source.path + "/again.bin")
    try pipeline.source.commit([
      "copy.bin": try String(contentsOfFile: pipeline.source.path + "/again.bin", encoding: .utf8)
    ])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("again.bin") == "first\n")
    #expect(try pipeline.text("copy.bin") == "first\n")
    #expect(FileManager.default.isExecutableFile(atPath: pipeline.checkout.path + "/again.bin"))
    try pipeline.expectEqual()
  }

  @Test func `a large file becomes something else, and is removed`() throws {
    let pipeline = try Pipeline.shipping()
    try pipeline.source.commit(["big.bin": "small\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "small\n")
    try pipeline.source.commit(["big.bin": try pipeline.largeFile("third\n")])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "third\n")
    try pipeline.source.remove("big.bin")
    try FileManager.default.createSymbolicLink(
      atPath: pipeline.source.path + "/big.bin", withDestinationPath: "a")
    try pipeline.source.commit([:])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.source.remove("big.bin")
    try pipeline.source.commit([:])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `a pointer stays one where the signer does not ship, or the path is no large file`()
    throws
  {
    let pipeline = try Pipeline.started()
    let text = try pipeline.largeFile("content\n")
    try pipeline.source.commit([".gitattributes": Pipeline.attributes, "big.bin": text])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == text)
    try pipeline.expectEqual()

    let shipping = try Pipeline.shipping()
    // Nobody has its content.
    let other = String(decoding: try Pipeline.pointer(to: "nowhere\n").text, as: UTF8.self)
    try shipping.source.commit(["sample.txt": other])
    #expect(try shipping.push().map(\.refusal) == [nil])
    #expect(try shipping.text("sample.txt") == other)
    try shipping.expectEqual()
  }

  @Test func `a content that is missing or damaged at the signer is named and nothing is sent`()
    throws
  {
    let pipeline = try Pipeline.shipping()
    let pointer = try Pipeline.pointer(to: "second\n")
    try pipeline.source.commit(["dir/big.bin": try pipeline.largeFile("second\n")])
    let commit = try pipeline.source.id()
    try pipeline.removeFromSource("second\n")
    let path = try TreePath("dir/big.bin")
    let error = #expect(throws: SignerError.self) { try pipeline.send() }
    guard case .largeFile(commit, path, .missing(pointer, _)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try Data("Second\n".utf8).write(
      to: URL(fileURLWithPath: pipeline.sourceStore.path(of: pointer)))
    let second = #expect(throws: SignerError.self) { try pipeline.send() }
    guard case .largeFile(commit, path, .damaged(pointer, _)) = second else {
      Issue.record("\(String(describing: second))")
      return
    }
    #expect(try pipeline.sealedMessages().isEmpty)
    _ = try pipeline.largeFile("second\n")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("dir/big.bin") == "second\n")
    try pipeline.expectEqual()
  }

  @Test func `more large files than the limit do not leave, and do not come in`() throws {
    let large = String(repeating: "x", count: 5_000)
    var options = PipelineOptions(largeFiles: .ship)
    options.sourceLimits = TreeLimits(byteCountMax: 4_999)
    let pipeline = try Pipeline(options)
    try pipeline.source.commit([
      ".gitattributes": Pipeline.attributes, "big.bin": try pipeline.largeFile(large),
    ])
    let error = #expect(throws: SignerError.self) { try pipeline.send() }
    guard case .overLimit(_, 4_999, 5_000) = error else {
      Issue.record("\(String(describing: error))")
      return
    }

    options.sourceLimits = TreeLimits()
    options.checkoutLimits = TreeLimits(byteCountMax: 5_000)
    let other = try Pipeline.shipping(options)
    try other.source.commit(["big.bin": try other.largeFile(large)])
    try other.expectRefusal(.overLimit) { try other.send() }
    #expect(try other.text("big.bin") == "first\n")
  }
}
