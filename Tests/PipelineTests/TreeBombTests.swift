import Foundation
import Git
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Messages and pushes that are small, and huge when they are checked out.
struct TreeBombTests {
  @Test(arguments: TreeBomb.Kind.allCases)
  func `a bomb in a message is refused at once`(kind: TreeBomb.Kind) throws {
    let pipeline = try Pipeline.started()
    var objects: [(kind: ObjectKind, bytes: [UInt8])] = []
    _ = try TreeBomb.make(kind) { isTree, bytes in
      objects.append((isTree ? .tree : .blob, bytes))
      let id = try ObjectDatabase.hash(isTree ? .tree : .blob, bytes)
      return (id, id.bytes)
    }
    let root = objects.removeLast()
    let forgery = try pipeline.forgery(tree: root.bytes, with: objects)
    let duration = try ContinuousClock().measure {
      try pipeline.expectRefusal(.overLimit, of: forgery)
    }
    #expect(duration < .seconds(10))
  }

  @Test(arguments: TreeBomb.Kind.allCases, SignerRepository.History.allCases)
  func `a push of a bomb ends with the commit, the limit and what to do`(
    kind: TreeBomb.Kind, history: SignerRepository.History
  ) throws {
    let pipeline = try Pipeline.started(PipelineOptions(history: history))
    let tree = try TreeBomb.make(kind) { isTree, bytes in
      let id = try pipeline.source.git(
        "hash-object", "-w", "-t", isTree ? "tree" : "blob", "--stdin", input: bytes)
      let object = try #require(ObjectID(hex: id))
      return (object, object.bytes)
    }
    let good = try pipeline.source.id()
    let bomb = try pipeline.source.git("commit-tree", tree.hex, "-p", good.hex, "-m", "bomb")
    try pipeline.source.git("update-ref", "refs/heads/main", bomb)
    let duration = ContinuousClock().measure {
      let error = #expect(throws: SignerError.self) { try pipeline.send() }
      guard case .unsendable(let commit, let reason, let hint) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(commit.hex == bomb)
      #expect("\(reason)".contains("the limit"))
      #expect(hint?.contains("limits:") == true)
    }
    #expect(duration < .seconds(5))
    // A first push from the bomb: what was never sent cannot be compared with.
    try pipeline.source.git("reset", "-q", "--hard", good.hex)
    try pipeline.expectNextPushArrives()
  }

  @Test func `a site's own limits hold for the whole checkout, step by step`() throws {
    let pipeline = try Pipeline(
      PipelineOptions(checkoutLimits: TreeLimits(pathCountMax: 3, byteCountMax: 10)))
    try pipeline.source.commit(["a": "1\n", "b": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.commit(["c": "3\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.commit(["d": "4\n"])
    try pipeline.expectRefusal(.overLimit) { try pipeline.send() }
    try pipeline.source.remove("d")
    try pipeline.source.commit(["c": "12345678\n"])
    try pipeline.expectRefusal(.overLimit) { try pipeline.send() }
    try pipeline.source.commit(["c": "1234\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }
}
