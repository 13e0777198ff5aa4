import Compression
import Foundation
import Git
import GitModel
import MessageFormat
import TestSupport
import Testing

/// Messages of a signer that was led, or leads, to send what `.gitmodules` must not say, and packs that are not what the tree
/// names: refused before anything changes.
struct SubmoduleRefusalTests {
  private let world: SubmoduleSource

  init() throws {
    world = try SubmoduleSource(PipelineOptions())
    try world.push()
  }

  private static let honest = "[submodule \"mod\"]\n\tpath = mod\n\turl = ../lib\n"

  /// A patch that brings a submodule at `mod`, with this pack behind it.
  private func forgery(
    _ text: String = honest, at path: String = "mod", pack: [UInt8]? = nil, count: Int = 1
  ) throws -> Forgery {
    let id = try world.inner.id()
    try world.source.write(".gitmodules", text)
    try world.source.git("add", ".gitmodules")
    try world.source.git("update-index", "--add", "--cacheinfo", "160000,\(id),\(path)")
    try world.source.git("commit", "-q", "--allow-empty", "-m", "forged")
    var forgery = try world.pipeline.forgery(to: try world.source.id())
    var patch: [UInt8] = []
    var decompressor = try Decompressor(outputByteCountMax: 1 << 20)
    try decompressor.write(forgery.payload) { span in
      for index in span.indices { patch.append(span[index]) }
    }
    let pack = try pack ?? Forgery.pack(try objects())
    forgery.payload = try Forgery.compressed(patch + pack)
    forgery.message.payload = PayloadDescription(
      kind: .patch, digest: ContentDigest(of: forgery.payload), size: UInt64(forgery.payload.count),
      inflatedSize: UInt64(patch.count + pack.count),
      submodules: SubmodulesDescription(count: count, size: UInt64(pack.count)))
    return forgery
  }

  /// Of the submodule's commit.
  private func objects() throws -> [(kind: ObjectKind, bytes: [UInt8])] {
    let objects = try Repository(opening: world.inner.path).objects
    let id = try world.inner.id()
    let needed =
      [ObjectReference(id: id, kind: .commit)]
      + (try objects.objects(of: objects.commit(id).tree, notIn: nil))
    return try needed.map { ($0.kind, try objects.read($0.id, $0.kind)) }
  }

  @Test func `what is right is applied`() throws {
    try world.pipeline.deposit(try forgery())
    #expect(try world.pipeline.deliver().map(\.refusal) == [nil])
    let text = try String(contentsOfFile: world.checkout.path + "/mod/x", encoding: .utf8)
    #expect(text == "inner 1\n")
    #expect(try world.checkout.status() == "")
  }

  @Test(arguments: [
    "[submodule \"../mod\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"a/../../mod\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"/mod\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \".git\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"a/.GIT\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"a\\\\..\\\\b\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"-mod\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"\"]\n\tpath = mod\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = ../mod\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = /mod\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = .git/hooks\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = -mod\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = -u./lib\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = \"ext::sh -c id\"\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = \"../lib\\n-u\"\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = ../lib\n\tupdate = !id\n",
    "[submodule \"mod\"]\n\tpath = mod\n\tpath = other\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = mod\n",
    "[submodule \"mod\"]\n\tpath = other\n\turl = ../lib\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = ../lib\n[submodule \"b\"]\n\tpath = mod\n\turl = x\n",
    "[submodule \"mod\"]\n\tpath = mod\n\turl = ../lib\n[submodule \"MOD/x\"]\n\tpath = b\n\turl = x\n",
    "[submodule \"mod\"\n\tpath = mod\n", "no configuration",
  ])
  func `a hostile .gitmodules is refused by name`(text: String) throws {
    try world.pipeline.expectRefusal(.invalidSubmodule, of: try forgery(text))
  }

  @Test func `a pack that is not what the tree names is refused`() throws {
    let honest = try objects()
    try world.pipeline.expectRefusal(
      .invalidSubmodule,
      of: try forgery(pack: Forgery.pack(honest + [(.blob, Array("hidden\n".utf8))])))
    // A file is missing: any pack has to be whole, unless the objects are there already.
    try world.pipeline.expectRefusal(
      .invalidPack, of: try forgery(pack: Forgery.pack(Array(honest.dropLast()))))
    try world.pipeline.expectRefusal(
      .invalidSubmodule, of: try forgery(pack: Forgery.pack(Array(honest.dropFirst()))))
    try world.pipeline.expectRefusal(.invalidSubmodule, of: try forgery(count: 2))
    try world.pipeline.expectRefusal(
      .invalidPack, of: try forgery(pack: Array(Forgery.pack(honest).dropLast())))
  }

  @Test func `a repository in the place of a part of the name is not entered`() throws {
    try world.checkout.git("init", "-q", "--bare", ".git/modules/outer")
    let text = "[submodule \"outer/hooks\"]\n\tpath = mod\n\turl = ../lib\n"
    try world.pipeline.expectRefusal(.localChanges, of: try forgery(text))
  }
}
