import Applier
import Foundation
import GitModel
import LargeFiles
import MessageFormat
import TestSupport
import Testing

// Files of Git LFS in a pipeline's repositories, without git-lfs.
extension Pipeline {
  static let attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"

  /// Ships large files; its first commit, which has arrived, has `big.bin` with this content.
  static func shipping(
    _ options: PipelineOptions = PipelineOptions(), content: String = "first\n"
  ) throws -> Pipeline {
    var options = options
    options.largeFiles = .ship
    let pipeline = try Pipeline(options)
    try pipeline.source.commit([
      ".gitattributes": attributes, "big.bin": try pipeline.largeFile(content), "a": "1\n",
    ])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    return pipeline
  }

  /// Puts a content into the source's store, and gives the pointer's text.
  func largeFile(_ content: String) throws -> String {
    let pointer = try Self.pointer(to: content)
    let path = sourceStore.path(of: pointer)
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try Data(content.utf8).write(to: URL(fileURLWithPath: path))
    return String(decoding: pointer.text, as: UTF8.self)
  }

  static func pointer(to content: String) throws -> LargeFilePointer {
    var hasher = LargeFileHasher()
    hasher.update(Array(content.utf8).span)
    return try #require(hasher.finish())
  }

  var sourceStore: LargeFileStore { LargeFileStore(gitDirectory: source.path + "/.git/") }
  var checkoutStore: LargeFileStore { LargeFileStore(gitDirectory: checkout.path + "/.git/") }

  func removeFromSource(_ content: String) throws {
    try FileManager.default.removeItem(atPath: sourceStore.path(of: try Self.pointer(to: content)))
  }

  /// What the checkout's file holds.
  func text(_ name: String) throws -> String {
    try String(contentsOfFile: checkout.path + "/" + name, encoding: .utf8)
  }
}
