import Foundation
import GRDB
import Git
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import TestSupport
import Testing

/// What is left behind by a run that ended in the middle, and what the next one makes of it.
struct RecoveryTests {
  /// As if the program had ended so often while it had the message in hand.
  private func countAttempts(_ count: Int, _ pipeline: Pipeline) throws {
    let mailbox = pipeline.applier.public.mailbox
    let first = try #require(try pipeline.store.first(in: mailbox))
    try pipeline.store.state.queue.write { database in
      try database.execute(
        sql: "INSERT INTO attempt (message, count) VALUES (?, ?)",
        arguments: [Data(first.id.bytes), count])
    }
  }

  @Test func `message that ended the program again and again is set aside and the next goes on`()
    throws
  {
    let pipeline = try Pipeline.started()
    let forgery = try pipeline.forgery(to: try pipeline.source.commit(["a": "2\n"]))
    try pipeline.expectRefusal(.unprocessable) {
      try pipeline.deposit(try forgery.sealed())
      try countAttempts(6, pipeline)
    }
    try pipeline.expectNextPushArrives()
  }

  /// Whoever is switched off twice has not met a bad message.
  @Test func `message that was in hand when the program ended is tried again`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    try countAttempts(5, pipeline)
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  /// The journal is written, and nothing after it was done; the locks that the killed run had taken are left.
  @Test(arguments: [[], ["refs/heads/main"], ["index"], ["HEAD"], ["shallow"]])
  func `step that was only begun is finished`(locks: [String]) throws {
    let pipeline = try Pipeline.started()
    try beginStep(pipeline)
    for lock in locks {
      let git = pipeline.checkout.path + "/.git/"
      #expect(unsafe link(git + "distro.lock", git + lock + ".lock") == 0)
    }
    pipeline.restartWorker()
    try pipeline.work()
    #expect(!pipeline.answerCount.isZero, "nobody was told of the receipt")
    let receipts = try pipeline.receipts()
    #expect(receipts.map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.expectNextPushArrives()
  }

  /// Or a step that was killed for taking too long would be begun and killed at every start.
  @Test func `recovery has no deadline`() async {
    await #expect(processExitsWith: .success) {
      let pipeline = try Pipeline.started()
      let files = (1...2_000).map { ("file-\($0)", "\($0)\n") }
      try RecoveryTests().beginStep(pipeline, files: Dictionary(uniqueKeysWithValues: files))
      pipeline.restartWorker(deadline: .nanoseconds(1))
      try pipeline.work()
      #expect(try pipeline.receipts().map(\.refusal) == [nil])
      try pipeline.expectEqual()
    }
  }

  /// Killed while it made the checkout: the repository is not whole yet, or has just been moved to its place.
  @Test(arguments: [false, true]) func `checkout that was being made is made anew`(isMoved: Bool)
    throws
  {
    let pipeline = isMoved ? try Pipeline.started() : try Pipeline()
    let build = pipeline.checkout.path + "/.distro-new"
    try FileManager.default.createDirectory(
      atPath: build + (isMoved ? "" : "/.git/objects"), withIntermediateDirectories: true)
    try pipeline.source.commit(["a": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    #expect(!FileManager.default.fileExists(atPath: build))
  }

  /// The program comes up before the file system does.
  @Test func `step of a checkout that is mounted late is finished`() throws {
    let pipeline = try Pipeline.started()
    try beginStep(pipeline)
    let path = pipeline.checkout.path
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    pipeline.restartWorker()
    try pipeline.work()
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    try pipeline.work()
    try pipeline.expectEqual()
  }

  private func beginStep(
    _ pipeline: Pipeline, files: [String: String] = ["a": "2\n", "new/file": "x\n"]
  ) throws {
    let before = try pipeline.source.id()
    let after = try pipeline.source.commit(files)
    try pipeline.send()
    try pipeline.transfer()
    let mailbox = pipeline.applier.public.mailbox
    let message = try #require(try pipeline.store.first(in: mailbox))
    let chunks = try message.open()
    var unsealer = try Unsealer(header: chunks[0], for: pipeline.applier)
    let statement = try unsealer.open(chunks[1], isLast: false)
    let body = try Statement(decoding: statement).body
    // What the step makes durable before its journal: the objects.
    let pack = try pipeline.source.run(
      ["pack-objects", "--stdout", "--revs", "-q"], input: Array("\(after)\n^\(before)\n".utf8))
    try pipeline.checkout.git("unpack-objects", "-q", input: pack.output)
    try pipeline.store.state.queue.write { database in
      try database.execute(
        sql: "INSERT INTO journal (checkout, before, after, phase) VALUES (?, ?, ?, 'activating')",
        arguments: [pipeline.checkout.path, Data(before.bytes), Data(after.bytes)])
      try database.execute(
        sql: "INSERT INTO journalMessage VALUES (?, 0, ?, ?)",
        arguments: [pipeline.checkout.path, Data(message.id.bytes), Data(body)])
    }
  }

  @Test func `step of a branch that was moved since is given up`() throws {
    let pipeline = try Pipeline.started()
    let before = try pipeline.source.id()
    try pipeline.store.state.queue.write { database in
      try database.execute(
        sql: "INSERT INTO journal (checkout, before, after, phase) VALUES (?, ?, ?, 'activating')",
        arguments: [
          pipeline.checkout.path, Data([UInt8](repeating: 1, count: 20)),
          Data([UInt8](repeating: 2, count: 20)),
        ])
    }
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.checkout.id() == before)
    try pipeline.expectNextPushArrives()
  }

  @Test func `leftovers of killed runs do not stop the next`() throws {
    let pipeline = try Pipeline.started()
    let git = pipeline.checkout.path + "/.git/"
    try pipeline.checkout.write(".git/distro-staging/left", "x")
    try pipeline.checkout.write(".git/objects/distro-incoming-Abc123/pack/tmp_pack", "x")
    try pipeline.expectNextPushArrives()
    #expect(!FileManager.default.fileExists(atPath: git + "distro-staging/left"))
  }

  /// git may be waiting for a person's editor, whatever the lock's age.
  @Test(arguments: ["index", "HEAD", "refs/heads/main"])
  func `a lock of git's is waited for, and nothing is touched meanwhile`(lock: String) throws {
    let pipeline = try Pipeline.started()
    let path = pipeline.checkout.path + "/.git/\(lock).lock"
    try Data().write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: path)
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    let before = try PipelineWorkingCopy(pipeline.checkout.path)
    try pipeline.work()
    #expect(try pipeline.receipts().isEmpty)
    #expect("\(try #require(pipeline.worker.fault))".contains("\(lock).lock"))
    #expect(try PipelineWorkingCopy(pipeline.checkout.path) == before)
    try FileManager.default.removeItem(atPath: path)
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `second deposit of a message is handled once`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    let sealed = try #require(try pipeline.sealedMessages().first)
    try pipeline.deposit(sealed)
    try pipeline.deposit(sealed)
    try pipeline.work()
    #expect(try pipeline.receipts().count == 1)
  }
}
