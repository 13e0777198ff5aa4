import Foundation
import Git
import GitModel
import MessageFormat
import Patching
import TestSupport
import Testing

/// What the second stage refuses: messages that are genuine, and wrong for this checkout.
struct CheckRefusalTests {
  private let pipeline: Pipeline

  init() throws { pipeline = try Pipeline.started() }

  private func forgery() throws -> Forgery {
    try pipeline.forgery(to: try pipeline.source.commit(["a": "changed\n"]))
  }

  // MARK: - Sequence

  @Test func `refuses the same message again`() throws {
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    let sealed = try #require(try pipeline.sealedMessages().first)
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
    try pipeline.expectRefusal(.replayed) { try pipeline.deposit(sealed) }
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses an older message that never arrived`() throws {
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    let held = try #require(try pipeline.sealedMessages().first)
    try pipeline.source.commit(["a": "3\n"])
    try pipeline.send()
    let newer = try #require(try pipeline.sealedMessages().last)
    try pipeline.deposit(newer)
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.outcome) == [.behind(try pipeline.current())])
    try pipeline.expectRefusal(.replayed) { try pipeline.deposit(held) }
  }

  @Test func `refuses a second history of the stream`() throws {
    var forgery = try forgery()
    forgery.message.previous = ContentDigest(of: Array("another message".utf8))
    try pipeline.expectRefusal(.forked, of: forgery)
  }

  // MARK: - Where it is for

  @Test func `refuses remote that no checkout has`() throws {
    var forgery = try forgery()
    forgery.message.stream = StreamName(
      remote: RemoteName(known: "git@example.org:acme/other.git"), branch: pipeline.main)
    try pipeline.expectRefusal(.remoteMismatch, of: forgery)
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses checkout with another origin`() throws {
    try pipeline.checkout.git("remote", "set-url", "origin", "git@example.org:acme/other.git")
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.expectRefusal(.remoteMismatch) {}
    #expect(try pipeline.outbox.newest().map(\.refusal) == ["remote-mismatch"])
  }

  @Test func `refuses branch that no checkout is for`() throws {
    var forgery = try forgery()
    forgery.message.stream = StreamName(
      remote: Pipeline.remote, branch: try #require(BranchName("other")))
    try pipeline.expectRefusal(.branchMismatch, of: forgery)
  }

  @Test func `refuses checkout on another branch`() throws {
    try pipeline.checkout.git("checkout", "-q", "-b", "other")
    try pipeline.expectRefusal(.branchMismatch, of: try forgery())
  }

  @Test func `refuses detached checkout`() throws {
    try pipeline.checkout.git("checkout", "-q", "--detach")
    try pipeline.expectRefusal(.branchMismatch, of: try forgery())
  }

  // MARK: - Revision

  @Test func `asks where the checkout has moved on`() throws {
    try pipeline.checkout.git("commit", "-q", "--allow-empty", "-m", "made here")
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.expectUnchanged(.behind(try pipeline.current())) {}
  }

  @Test func `asks for everything where there is no checkout`() throws {
    let forgery = try forgery()
    try FileManager.default.removeItem(atPath: pipeline.checkout.path)
    try pipeline.expectUnchanged(.behind(nil)) { try pipeline.deposit(forgery) }
    #expect(!FileManager.default.fileExists(atPath: pipeline.checkout.path))
  }

  @Test func `asks for a patch in place of a snapshot over a checkout`() throws {
    var forgery = try pipeline.forgery(to: try pipeline.source.commit(["a": "2\n"]), kind: .pack)
    (forgery.message.before, forgery.message.descends) = (nil, false)
    try pipeline.expectUnchanged(.behind(try pipeline.current())) {
      try pipeline.deposit(forgery)
    }
  }

  @Test func `refuses revision whose tree is another`() throws {
    var forgery = try forgery()
    let revision = try #require(forgery.message.before?.revision)
    forgery.message.before = Snapshot(revision: revision, tree: forgery.message.after.tree)
    let other = try pipeline.source.commit(["a": "third\n"])
    forgery.message.after = try pipeline.snapshot(other)
    try pipeline.expectRefusal(.treeMismatch, of: forgery)
  }

  @Test func `refuses patch that changes nothing`() throws {
    let empty = try pipeline.source.commit([:])
    var forgery = try pipeline.forgery(to: Commit(bytes: commitBytes(empty)))
    try forgery.setContent(.patch, [])
    try pipeline.expectRefusal(.empty, of: forgery)
  }

  private func commitBytes(_ id: ObjectID) throws -> [UInt8] {
    try Repository(opening: pipeline.source.path).objects.commit(id).bytes
  }

  // MARK: - Content

  @Test func `refuses text with other context than the file`() throws {
    try pipeline.source.commit(["a": (1...9).map { "\($0)\n" }.joined()])
    try pipeline.push()
    var forgery = try pipeline.forgery(
      to: try pipeline.source.commit(["a": (1...9).map { "\($0 == 5 ? 50 : $0)\n" }.joined()]))
    try editPatch(&forgery) { $0.replacing("\n 4\n", with: "\n X\n") }
    try pipeline.expectRefusal(.doesNotApply, of: forgery)
  }

  @Test func `refuses text made for another file content`() throws {
    let other = try pipeline.source.commit(["a": "other\n"])
    let target = try pipeline.source.commit(["a": "target\n"])
    var forgery = try pipeline.forgery(to: target)
    let repository = try Repository(opening: pipeline.source.path)
    let made = try TreePatch.make(
      from: pipeline.source.tree(other.hex), to: pipeline.source.tree(target.hex),
      in: repository.objects, limits: .carried)
    guard case .made(let text) = made else { throw ForgeryFailure.noPatch }
    try forgery.setContent(.patch, text)
    try pipeline.expectRefusal(.doesNotApply, of: forgery)
  }

  @Test func `refuses patch that gives another tree`() throws {
    var forgery = try forgery()
    let other = try pipeline.source.commit(["a": "yet another\n"])
    forgery.message.after = try pipeline.snapshot(other)
    forgery.message.commit = try commitBytes(other)
    try pipeline.expectRefusal(.treeMismatch, of: forgery)
  }

  @Test func `refuses text whose content is not what its ID says`() throws {
    var forgery = try forgery()
    try editPatch(&forgery) { $0.replacing("+changed", with: "+chanted") }
    try pipeline.expectRefusal(.treeMismatch, of: forgery)
  }

  @Test func `refuses commit of another revision`() throws {
    var forgery = try forgery()
    let text = String(decoding: forgery.message.commit, as: UTF8.self)
    forgery.message.commit = Array(text.replacing("change", with: "chance").utf8)
    try pipeline.expectRefusal(.commitMismatch, of: forgery)
  }

  @Test func `refuses commit that is none`() throws {
    for kind in [PayloadDescription.Kind.patch, .pack] {
      let commit = try pipeline.source.commit(["a": "\(kind)\n"])
      var forgery = try pipeline.forgery(to: commit, kind: kind)
      forgery.message.commit = Array("no commit".utf8)
      try pipeline.expectRefusal(.commitMismatch, of: forgery)
    }
  }

  private func editPatch(_ forgery: inout Forgery, _ edit: (String) -> String) throws {
    let repository = try Repository(opening: pipeline.source.path)
    let made = try TreePatch.make(
      from: try #require(forgery.message.before).tree, to: forgery.message.after.tree,
      in: repository.objects, limits: .carried)
    guard case .made(let text) = made else { throw ForgeryFailure.noPatch }
    let old = String(decoding: text, as: UTF8.self)
    let new = edit(old)
    #expect(new != old)
    try forgery.setContent(.patch, Array(new.utf8))
  }

  // MARK: - Packs

  private func packForgery() throws -> Forgery {
    try pipeline.forgery(to: try pipeline.source.commit(["a": "packed\n"]), kind: .pack)
  }

  @Test func `honest pack made by hand is applied`() throws {
    try pipeline.deposit(try packForgery().sealed())
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `refuses bytes that are no pack`() throws {
    var forgery = try packForgery()
    try forgery.setContent(.pack, Array("PACK, they say".utf8))
    try pipeline.expectRefusal(.invalidPack, of: forgery)
  }

  @Test func `refuses pack without one of its objects`() throws {
    let blob = Array("missing\n".utf8)
    let root = treeBytes([("100644", Array("a".utf8), try ObjectDatabase.hash(.blob, blob))])
    try pipeline.expectRefusal(.invalidPack, of: try pipeline.forgery(tree: root, with: []))
  }

  @Test(arguments: [5, 12, 40, -1])
  func `refuses pack that was cut off`(byteCount: Int) throws {
    var forgery = try packForgery()
    let pack = try wholePack()
    try forgery.setContent(.pack, byteCount > 0 ? Array(pack.prefix(byteCount)) : pack.dropLast())
    try pipeline.expectRefusal(.invalidPack, of: forgery)
  }

  @Test func `refuses pack with a changed byte`() throws {
    var forgery = try packForgery()
    var pack = try wholePack()
    pack[pack.count - 30] ^= 1
    try forgery.setContent(.pack, pack)
    try pipeline.expectRefusal(.invalidPack, of: forgery)
  }

  private func wholePack() throws -> [UInt8] {
    let blob = Array("packed\n".utf8)
    let root = treeBytes([("100644", Array("a".utf8), try ObjectDatabase.hash(.blob, blob))])
    return try Forgery.pack([(.tree, root), (.blob, blob)])
  }

  @Test func `refuses tree whose entries are malformed`() throws {
    let blob = Array("x".utf8)
    let id = try ObjectDatabase.hash(.blob, blob)
    let name = { (text: String) in Array(text.utf8) }
    let trees = [
      treeBytes([("100644", name("a"), id), ("100644", name("a"), id)]),
      treeBytes([("100644", name("a"), id), ("40000", name("a"), id)]),
      treeBytes([("100844", name("a"), id)]),
      treeBytes([("100644", [UInt8](repeating: 97, count: 256), id)]),
      Array(treeBytes([("100644", name("a"), id)]).dropLast()),
    ]
    for root in trees {
      try pipeline.expectRefusal(
        .invalidPack, of: try pipeline.forgery(tree: root, with: [(.blob, blob)]))
    }
  }

  @Test func `refuses tree that is too deep`() throws {
    let blob = Array("x".utf8)
    var objects: [(kind: ObjectKind, bytes: [UInt8])] = [(.blob, blob)]
    var bytes = treeBytes([("100644", [97], try ObjectDatabase.hash(.blob, blob))])
    for _ in 0...Limits.treeDepthMax {
      objects.append((.tree, bytes))
      bytes = treeBytes([("40000", [97], try ObjectDatabase.hash(.tree, bytes))])
    }
    try pipeline.expectRefusal(.overLimit, of: try pipeline.forgery(tree: bytes, with: objects))
  }
}
