import Applier
import Compression
import Foundation
import GitModel
import LargeFiles
import MessageFormat
import TestSupport
import Testing

/// Payloads whose second part is not what the signed message or the tree says.
struct LargeFileRefusalTests {
  private let pipeline: Pipeline

  init() throws { pipeline = try Pipeline.shipping() }

  /// A patch that leads to another content of `big.bin`, with these bytes behind it.
  private func forgery(
    _ section: [UInt8], count: Int, size: Int? = nil, content: String = "second\n"
  ) throws -> Forgery {
    var forgery = try pipeline.forgery(
      to: try pipeline.source.commit(["big.bin": try pipeline.largeFile(content)]))
    let text = try text(of: forgery)
    let size = size ?? section.count
    forgery.payload = try Forgery.compressed(text + section)
    forgery.message.payload = PayloadDescription(
      kind: .patch, digest: ContentDigest(of: forgery.payload), size: UInt64(forgery.payload.count),
      inflatedSize: UInt64(text.count + size),
      largeFiles: LargeFilesDescription(count: count, size: UInt64(size)))
    return forgery
  }

  private func text(of forgery: Forgery) throws -> [UInt8] {
    var text: [UInt8] = []
    var decompressor = try Decompressor(outputByteCountMax: 1 << 20)
    try decompressor.write(forgery.payload) { span in
      for index in span.indices { text.append(span[index]) }
    }
    return text
  }

  private func file(_ announced: String, _ content: String? = nil) throws -> [UInt8] {
    LargeFileHeader.encode(try Pipeline.pointer(to: announced)) + Array((content ?? announced).utf8)
  }

  private func expectRefusal(_ refusal: Refusal, of forgery: Forgery) throws {
    try pipeline.expectRefusal(refusal, of: forgery)
    #expect(try pipeline.text("big.bin") == "first\n")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: pipeline.checkout.path + "/.git/lfs")
    #expect(left == ["objects"])
  }

  @Test func `what is right is applied`() throws {
    try pipeline.deposit(try forgery(try file("second\n"), count: 1))
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "second\n")
    try pipeline.expectEqual()
  }

  @Test func `a content with another SHA-256 is refused`() throws {
    try expectRefusal(
      .invalidLargeFile, of: try forgery(try file("second\n", "Second\n"), count: 1))
  }

  @Test func `a content that no pointer names is refused`() throws {
    let section = [try file("other\n"), try file("second\n")].sorted {
      $0.lexicographicallyPrecedes($1)
    }
    try expectRefusal(.invalidLargeFile, of: try forgery(section.flatMap { $0 }, count: 2))
  }

  @Test func `a content that did not come is refused`() throws {
    try expectRefusal(.largeFileMissing, of: try forgery([], count: 0))
  }

  @Test func `contents in another order, or twice, are malformed`() throws {
    let files = [try file("first\n"), try file("second\n")].sorted {
      $1.lexicographicallyPrecedes($0)
    }
    try expectRefusal(.malformed, of: try forgery(files.flatMap { $0 }, count: 2))
    try expectRefusal(
      .malformed, of: try forgery(try file("second\n") + file("second\n"), count: 2))
  }

  @Test func `another number of contents than the message says is malformed`() throws {
    try expectRefusal(
      .malformed, of: try forgery([UInt8](repeating: 0, count: 40) + file("second\n"), count: 2))
    let long = String(repeating: "x", count: 100)
    try expectRefusal(.malformed, of: try forgery(try file(long), count: 2, content: long))
  }

  @Test func `a content that is cut off is malformed`() throws {
    let whole = try file("second\n")
    try expectRefusal(.malformed, of: try forgery(Array(whole.dropLast()), count: 1))
    try expectRefusal(
      .malformed, of: try forgery(Array(whole.dropLast()), count: 1, size: whole.count))
    try expectRefusal(.malformed, of: try forgery(whole + [0], count: 1))
    try expectRefusal(.malformed, of: try forgery(whole + [0], count: 1, size: whole.count))
  }

  @Test func `a size that no large file has is malformed`() throws {
    let header = [UInt8](repeating: 1, count: 32) + [255, 255, 255, 255, 255, 255, 255, 255]
    try expectRefusal(.malformed, of: try forgery(header + [0], count: 1))
  }
}
