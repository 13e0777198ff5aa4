import Foundation
import Git
import GitModel
import MessageFormat
import TestSupport
import Testing

/// What a pack may hold besides what its message needs: nothing.
struct PackContentTests {
  private let pipeline: Pipeline
  private let blob = Array("packed\n".utf8)

  init() throws { pipeline = try Pipeline.started() }

  /// A pack of one file, with more objects.
  private func forgery(with others: [(kind: ObjectKind, bytes: [UInt8])]) throws -> Forgery {
    let root = treeBytes([("100644", [97], try ObjectDatabase.hash(.blob, blob))])
    return try pipeline.forgery(tree: root, with: [(.blob, blob)] + others)
  }

  @Test func `an object in a pack that nothing names is refused`() throws {
    let tree = treeBytes([("100644", [98], try ObjectDatabase.hash(.blob, blob))])
    for other: (kind: ObjectKind, bytes: [UInt8]) in [
      (.blob, Array("other".utf8)), (.tree, tree), (.tree, Array("garbage".utf8)),
      (.commit, Array("garbage".utf8)),
    ] {
      try pipeline.expectRefusal(.invalidPack, of: try forgery(with: [other]))
    }
    #expect(try pipeline.checkout.fsck() == "")
  }

  @Test func `a commit in the message and in its pack is refused`() throws {
    let plain = try forgery(with: [])
    let both = try forgery(with: [(.commit, plain.message.commit)])
    #expect(both.message.commit == plain.message.commit)
    try pipeline.expectRefusal(.invalidPack, of: both)
  }

  @Test func `named objects that the checkout has already do no harm`() throws {
    let old = try Repository(opening: pipeline.source.path).objects
    let bytes = try old.read(pipeline.source.id("HEAD:b/c"), .blob)
    let root = treeBytes([
      ("100644", [97], try ObjectDatabase.hash(.blob, blob)),
      ("100644", [98], try ObjectDatabase.hash(.blob, bytes)),
    ])
    let forgery = try pipeline.forgery(tree: root, with: [(.blob, blob), (.blob, bytes)])
    try pipeline.deposit(forgery)
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
  }

  @Test(arguments: [-1, 1], [PayloadDescription.Kind.patch, .pack])
  func `a payload of another size than its message says is malformed`(
    difference: Int, kind: PayloadDescription.Kind
  ) throws {
    let commit = try pipeline.source.commit(["a": "\(kind)\(difference)\n"])
    var forgery = try pipeline.forgery(to: commit, kind: kind)
    let size = Int(forgery.message.payload?.inflatedSize ?? 0)
    forgery.describe(kind, inflatedSize: size + difference)
    try pipeline.expectRefusal(.malformed, of: forgery)
  }

  @Test func `a pack with an object twice says so`() throws {
    let root = treeBytes([("100644", [97], try ObjectDatabase.hash(.blob, blob))])
    var forgery = try pipeline.forgery(tree: root, with: [(.blob, blob)])
    try forgery.setContent(.pack, Forgery.pack([(.tree, root), (.blob, blob), (.blob, blob)]))
    try pipeline.deposit(forgery)
    try pipeline.work()
    guard case .refused(.invalidPack, let detail) = try pipeline.receipts().last?.outcome else {
      Issue.record("it was not refused")
      return
    }
    #expect(detail.contains("twice"), "\(detail)")
  }
}
