import Applier
import Foundation
import GRDB
import Git
import GitModel
import Logging
import MessageFormat
import Signer
import Sodium
import Testing

/// What a trusted peer that has been taken over could try beyond the refusals of one message.
struct ReviewedAttackTests {
  private func packOfNothingNew(
    _ pipeline: Pipeline, after: ObjectID, tree: ObjectID
  ) throws -> Forgery {
    let head = try pipeline.source.id()
    let commit = try Repository(opening: pipeline.source.path).objects.commit(head)
    var forgery = try pipeline.forgery(to: commit)
    forgery.message.after = Snapshot(revision: after, tree: tree)
    forgery.message.commit = []
    try forgery.setContent(.pack, Forgery.pack([(.blob, Array("unrelated".utf8))]))
    return forgery
  }

  @Test func `refuses pack that names a blob as the new revision`() throws {
    let pipeline = try Pipeline.started()
    let blob = try pipeline.source.id("HEAD:a")
    let tree = try pipeline.source.tree("HEAD")
    let other = try pipeline.source.id("HEAD:b")
    #expect(tree != other)
    try pipeline.expectRefusal(.invalidPack) {
      try pipeline.deposit(try packOfNothingNew(pipeline, after: blob, tree: other))
    }
  }

  @Test func `refuses pack that names an old commit with another tree`() throws {
    let pipeline = try Pipeline.started()
    let first = try pipeline.source.id()
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.push()
    let other = try pipeline.source.id("HEAD:b")
    try pipeline.expectRefusal(.treeMismatch) {
      try pipeline.deposit(try packOfNothingNew(pipeline, after: first, tree: other))
    }
  }

  /// A receipt says where a checkout is; it must not make the signer compare with whatever it names.
  @Test func `receipt of a revision that was never sent is no base`() throws {
    let pipeline = try Pipeline.started()
    let sent = try pipeline.source.id()
    try pipeline.source.git("switch", "-q", "-c", "secret")
    let secret = try pipeline.source.commit(["secret": "x\n"])
    try pipeline.source.git("switch", "-q", "main")
    try pipeline.source.commit(["a": "2\n"])
    let message = try pipeline.send()
    try pipeline.transfer()
    let receipt = Receipt(
      applier: pipeline.applier.public.mailbox, signer: pipeline.signer.public.mailbox,
      messageID: message.id, subject: nil, outcome: .refused(.localChanges, detail: ""),
      revision: secret, receivedAt: pipeline.clock.now, finishedAt: pipeline.clock.now)
    #expect(try pipeline.record(receipt) == .news)
    try pipeline.source.commit(["a": "3\n"])
    #expect(try pipeline.send().update.before != secret)
    #expect(try pipeline.source.id("main~2") == sent)
  }

  /// A directory cannot be made below a file: a fault of the machine's, which concerns one checkout.
  @Test func `checkout that fails does not stop the others`() throws {
    let pipeline = try Pipeline.started()
    let settings = pipeline.applierSettings
    let branch = try #require(BranchName("broken"))
    try Data().write(to: URL(fileURLWithPath: pipeline.folder.path("file")))
    let broken = CheckoutSettings(
      stream: StreamName(remote: Pipeline.remote, branch: branch),
      path: pipeline.folder.path("file/live"),
      onLocalChanges: .refuse, unusualPaths: .refuse, symbolicLinks: .inside,
      signers: [pipeline.signer.public.mailbox], staleAfterSeconds: nil)
    let worker = Worker(
      ApplierSettings(
        identity: settings.identity, state: settings.state,
        trustedSigners: settings.trustedSigners, checkouts: settings.checkouts + [broken],
        deadline: settings.deadline),
      store: pipeline.store, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now }, onAnswer: {})
    try pipeline.deposit(try snapshot(of: pipeline, for: branch).sealed())
    let revision = try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    while case .progress = try worker.handleNext() {}
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == revision)
    #expect(worker.fault?.path == broken.path)
    let mailbox = pipeline.applier.public.mailbox
    #expect(try pipeline.store.messages(in: mailbox, countMax: 9).count == 1)
  }

  /// What is remembered of a stream is remembered as long as the checkout; a signer can invent any number of others.
  @Test func `refusals of streams that nobody keeps are not remembered`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    let sealed = try #require(try pipeline.sealedMessages().first)
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
    try pipeline.expectRefusal(.replayed) { try pipeline.deposit(sealed) }
    for number in 1...3 {
      var forgery = try snapshot(of: pipeline, for: #require(BranchName("invented-\(number)")))
      try pipeline.expectRefusal(.branchMismatch) { try pipeline.deposit(forgery) }
      forgery.message.stream = StreamName(
        remote: RemoteName(known: "invented:\(number)"), branch: pipeline.main)
      try pipeline.expectRefusal(.remoteMismatch) { try pipeline.deposit(forgery) }
    }
    let streams = try pipeline.store.state.queue.read { database in
      try String.fetchAll(database, sql: "SELECT remote || ' ' || ref || ' ' || name FROM refusal")
    }
    #expect(streams == ["\(Pipeline.remote) refs/heads/main replayed"])
  }

  private func snapshot(of pipeline: Pipeline, for branch: BranchName) throws -> Forgery {
    let objects = try Repository(opening: pipeline.source.path).objects
    let commit = try objects.commit(try pipeline.source.id())
    var forgery = try pipeline.forgery(to: commit)
    forgery.message.stream = StreamName(
      remote: Pipeline.remote, branch: branch)
    (forgery.message.before, forgery.message.descends) = (nil, false)
    (forgery.message.sequence, forgery.message.previous) = (1, nil)
    let references = try objects.objects(of: commit.tree, notIn: nil)
    try forgery.setContent(
      .pack, Forgery.pack(references.map { ($0.kind, try objects.read($0.id, $0.kind)) }))
    return forgery
  }
}
