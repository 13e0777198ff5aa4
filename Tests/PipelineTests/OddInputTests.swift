import Foundation
import Git
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Commits and trees that are not as git writes them: carried whole where git takes them, or refused by name.
struct OddInputTests {
  private static let histories = SignerRepository.History.allCases

  private func write(_ kind: String, _ bytes: [UInt8], to pipeline: Pipeline) throws -> ObjectID {
    let id = try pipeline.source.git(
      "hash-object", "-w", "--literally", "-t", kind, "--stdin", input: bytes)
    return try #require(ObjectID(hex: id))
  }

  private func move(_ pipeline: Pipeline, to commit: ObjectID) throws {
    try pipeline.source.git("update-ref", "refs/heads/main", commit.hex)
  }

  @Test(arguments: OddCommits.all, histories)
  func `a commit that git takes arrives whole`(
    odd: OddCommit, history: SignerRepository.History
  ) throws {
    let pipeline = try Pipeline.started(PipelineOptions(history: history))
    let parent = try pipeline.source.id()
    try pipeline.source.commit(["a": "2\n"])
    let bytes = odd.bytes(tree: try pipeline.source.tree(), parent: parent)
    let commit = try write("commit", bytes, to: pipeline)
    try move(pipeline, to: commit)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == commit)
    #expect(try pipeline.checkout.status() == "")
    #expect(try Array(pipeline.checkout.run(["cat-file", "commit", "HEAD"]).output) == bytes)
    #expect(try pipeline.checkout.run(["gc", "-q"]).status == 0)
    // A child of it, twice: as one commit, and with another one between.
    try pipeline.source.git("reset", "-q", "--hard", "main")
    try pipeline.source.commit(["a": "3\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.commit(["a": "4\n"])
    try pipeline.source.commit(["a": "5\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    #expect(try pipeline.checkout.status() == "")
    #expect(
      try Repository(opening: pipeline.checkout.path).changedPaths().isEmpty)
    if history == .full {
      #expect(
        try pipeline.checkout.git("rev-list", "HEAD") == pipeline.source.git("rev-list", "main"))
    }
  }

  private func odd(
    _ tree: OddTree, in pipeline: Pipeline, name: String = "odd"
  ) throws -> ObjectID {
    let blobs = try ["1\n", "2\n"].map { try write("blob", Array($0.utf8), to: pipeline) }
    let directory = try write("tree", treeBytes([("100644", [120], blobs[0])]), to: pipeline)
    let bytes = tree.bytes(blobs: blobs, directory: directory)
    let odd = try write("tree", bytes, to: pipeline)
    let root = try write("tree", treeBytes([("40000", Array(name.utf8), odd)]), to: pipeline)
    let parent = try pipeline.source.id("main")
    let text =
      "tree \(root)\nparent \(parent)\nauthor A <a@b> 1 +0000\n"
      + "committer A <a@b> 1 +0000\n\nodd\n"
    return try write("commit", Array(text.utf8), to: pipeline)
  }

  @Test(arguments: OddTrees.taken, histories)
  func `a tree that git takes arrives as git has it`(
    tree: OddTree, history: SignerRepository.History
  ) throws {
    let pipeline = try Pipeline.started(PipelineOptions(history: history))
    let commit = try odd(tree, in: pipeline)
    try move(pipeline, to: commit)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == commit)
    #expect(try pipeline.checkout.status() == "")
    let clone = PipelineRepository(at: pipeline.folder.path("clone"), in: pipeline.folder)
    try pipeline.source.git("clone", "-q", "--no-local", pipeline.source.path, clone.path)
    #expect(try clone.status() == "")
    #expect(try pipeline.checkout.git("ls-files", "-s") == clone.git("ls-files", "-s"))
    // And away again, to a tree as git writes it.
    try pipeline.source.git("reset", "-q", "--hard", "main")
    try pipeline.source.commit(["odd/new": "changed\n", "a": "9\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    #expect(try pipeline.checkout.status() == "")
  }

  @Test(arguments: OddTrees.refused)
  func `a tree that git does not take is refused with commit, path and remedy`(
    tree: OddTree, words: String
  ) throws {
    let pipeline = try Pipeline.started()
    let commit = try odd(tree, in: pipeline)
    try move(pipeline, to: commit)
    let error = #expect(throws: SignerError.self) { try pipeline.send() }
    guard case .unsendable(commit, let reason, let hint) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(reason)".contains(words) && "\(reason)".contains("odd"), "\(reason)")
    #expect(hint != nil)
  }

  @Test func `a full history names the commit that it cannot send`() throws {
    let pipeline = try Pipeline.started(PipelineOptions(history: .full))
    let bad = try odd(OddTrees.refused[0].0, in: pipeline)
    try move(pipeline, to: bad)
    try pipeline.source.git("read-tree", "-m", "HEAD~1")
    try pipeline.source.git("reset", "-q", "--hard", "HEAD~1")
    try pipeline.source.commit(["a": "2\n"])
    let tree = try pipeline.source.tree()
    let text =
      "tree \(tree)\nparent \(bad)\nauthor A <a@b> 1 +0000\n"
      + "committer A <a@b> 1 +0000\n\ngood again\n"
    try move(pipeline, to: try write("commit", Array(text.utf8), to: pipeline))
    let error = #expect(throws: SignerError.self) { try pipeline.send() }
    guard case .unsendable(bad, _, let hint) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(hint?.contains("history: tip") == true)
  }

  @Test func `a parent that is no commit is refused in either form of payload`() throws {
    for kind in [PayloadDescription.Kind.patch, .pack] {
      let pipeline = try Pipeline.started()
      let tree = try pipeline.source.tree()
      let commit = try pipeline.source.commit(["a": "2\n"])
      var forgery = try pipeline.forgery(to: commit, kind: kind)
      let text = "tree \(forgery.message.after.tree)\nparent \(tree)\nauthor A <a@b> 1 +0000\n\nm\n"
      let bad = try Commit(bytes: Array(text.utf8))
      forgery.message.after = Snapshot(revision: bad.id, tree: bad.tree)
      forgery.message.commit = bad.bytes
      try pipeline.expectRefusal(.commitMismatch, of: forgery)
      #expect(try pipeline.checkout.status() == "")
      #expect(try pipeline.checkout.run(["gc", "-q"]).status == 0)
      // The signer does not send it either.
      try move(pipeline, to: try write("commit", bad.bytes, to: pipeline))
      #expect(throws: SignerError.self) { try pipeline.send() }
    }
  }

  @Test func `a partial clone is refused with what to do, and sent once it is whole`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.git("config", "uploadpack.allowFilter", "true")
    try pipeline.source.commit(["a": "2\n"])
    let partial = PipelineRepository(at: pipeline.folder.path("partial"), in: pipeline.folder)
    try pipeline.source.git(
      "clone", "-q", "--filter=blob:none", "--no-checkout", "file://" + pipeline.source.path,
      partial.path)
    let repository = SignerRepository(
      path: partial.path, remote: pipeline.configured.remote, branches: [pipeline.main],
      recipients: pipeline.configured.recipients, history: .tip)
    let sending = Sending(
      pipeline.signerSettings, outbox: pipeline.outbox, progress: .init { _, _, _ in }
    ) { pipeline.clock.now }
    let error = #expect(throws: SignerError.self) {
      try sending.send(pipeline.main, of: repository, from: .whereRecipientsAre, to: nil)
    }
    guard case .unsendable(_, .objectMissing, let hint) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(hint?.contains("git fetch --refetch --no-filter") == true)
    try partial.git("fetch", "-q", "--refetch", "--no-filter")
    _ = try sending.send(pipeline.main, of: repository, from: .whereRecipientsAre, to: nil)
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `a snapshot with the full history brings what tip left out`() throws {
    let pipeline = try Pipeline.started()
    for number in 2...5 { try pipeline.source.commit(["a": "\(number)\n"]) }
    #expect(try pipeline.push().map(\.refusal) == [nil])
    for number in 6...7 { try pipeline.source.commit(["a": "\(number)\n"]) }
    #expect(try pipeline.push().map(\.refusal) == [nil])
    let full = SignerRepository(
      path: pipeline.source.path, remote: pipeline.configured.remote, branches: [pipeline.main],
      recipients: pipeline.configured.recipients, history: .full)
    let sending = Sending(
      pipeline.signerSettings, outbox: pipeline.outbox, progress: .init { _, _, _ in }
    ) { pipeline.clock.now }
    // At the revision that the checkout has, and with a new one.
    for number in 8...9 {
      _ = try sending.send(pipeline.main, of: full, from: .nothing, to: nil)
      #expect(try pipeline.deliver().map(\.refusal) == [nil])
      try pipeline.expectEqual()
      let history = try pipeline.source.git("rev-list", "main")
      #expect(try pipeline.checkout.git("rev-list", "HEAD") == history)
      #expect(try pipeline.checkout.run(["rev-parse", "--is-shallow-repository"]).text == "false")
      try pipeline.source.commit(["a": "\(number)\n"])
    }
  }
}
