import Applier
import Foundation
import GitModel
import Logging
import MessageFormat
import TestSupport
import Testing

/// Where a checkout lies, and in what form: a link, a git directory elsewhere, other file systems, forms of the index.
struct CheckoutPlaceTests {
  private let folder: PipelineFolder
  private let pipeline: Pipeline
  private var path: String { pipeline.checkout.path }

  init() throws {
    pipeline = try Pipeline()
    folder = pipeline.folder
    try pipeline.source.commit(["a": "1\n", "b/c": "1\n"])
  }

  private func makeDirectory(_ name: String) throws -> String {
    let path = folder.path(name)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  /// What an operator makes for the checkout, at the source's revision.
  private func clone(_ options: String...) throws {
    let result = try pipeline.source.program.run(
      ["clone", "-q"] + options + [pipeline.source.path, path])
    try #require(result.status == 0, "\(result.errors)")
    try pipeline.checkout.git("remote", "set-url", "origin", Pipeline.remote.text)
    try pipeline.send()
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
  }

  @Test func `a path that is a link is followed, and stays one`() throws {
    let first = try makeDirectory("first")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: first)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectNextPushArrives()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == first)
    #expect(FileManager.default.fileExists(atPath: first + "/.git"))
    // It leads elsewhere from now on: everything is needed there.
    let second = try makeDirectory("second")
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: second)
    let old = PipelineRepository(at: first, in: folder)
    let head = try old.id()
    try pipeline.source.commit(["a": "2\n"])
    guard case .behind(nil)? = try pipeline.push().first?.outcome else {
      Issue.record("what is not there cannot be patched")
      return
    }
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    #expect(try old.id() == head && old.status() == "")
  }

  @Test func `a link to nothing is refused by name`() throws {
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: folder.path("none"))
    let receipts = try pipeline.push()
    guard case .refused(.checkoutUnusable, let detail)? = receipts.first?.outcome else {
      Issue.record("\(receipts.map(\.outcome))")
      return
    }
    #expect(detail.contains("symbolic link to nothing"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
  }

  @Test func `a git directory elsewhere is worked with`() throws {
    try clone("--separate-git-dir", folder.path("git"))
    try pipeline.expectNextPushArrives()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("git"))
    #expect(names.contains("distro-staging"))
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
  func `a git directory on another file system is worked with`() throws {
    try SmallDisk.mount(on: folder.path("disk"), byteCount: 8 << 20, home: folder.path) {
      try clone("--separate-git-dir", folder.path("disk/git"))
      for _ in 0..<2 { try pipeline.expectNextPushArrives() }
      try pipeline.source.remove("b")
      try pipeline.source.commit(["b": "a file now\n"])
      #expect(try pipeline.push().map(\.refusal) == [nil])
      try pipeline.expectEqual()
    }
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
  func `a file on a file system below the checkout blocks it, and nothing else is changed`() throws
  {
    #expect(try pipeline.push().map(\.refusal) == [nil])
    let head = try pipeline.checkout.id()
    try SmallDisk.mount(on: path + "/b", byteCount: 1 << 20, home: folder.path) {
      try pipeline.checkout.write("b/c", "1\n")
      try pipeline.source.commit(["a": "2\n", "b/c": "2\n", "d": "2\n"])
      #expect(try pipeline.push().isEmpty)
      let fault = try #require(pipeline.worker.fault)
      #expect("\(fault)".contains("is on another file system"))
      #expect(try pipeline.checkout.id() == head && pipeline.checkout.status() == "")
      try pipeline.expectNothingLeft()
    }
    pipeline.restartWorker()
    #expect(try pipeline.deliver().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  // MARK: - Forms of the index

  private func expectRefused(_ words: String, _ remedy: String...) throws {
    try pipeline.source.commit(["a": "2\n"])
    let before = try pipeline.checkout.id()
    let receipts = try pipeline.push()
    guard case .refused(.checkoutUnusable, let detail)? = receipts.first?.outcome else {
      Issue.record("\(receipts.map(\.outcome))")
      return
    }
    #expect(detail.contains(words) && detail.contains(remedy.joined(separator: " ")), "\(detail)")
    #expect(try pipeline.checkout.id() == before && pipeline.checkout.status() == "")
    #expect(try pipeline.checkout.run(remedy).status == 0)
    try pipeline.expectNextPushArrives()
  }

  @Test func `a split index is refused by name, with what to do`() throws {
    try pipeline.push()
    try pipeline.checkout.git("update-index", "--split-index")
    try expectRefused("is a split index", "update-index", "--no-split-index")
  }

  @Test func `a sparse index is refused by name, with what to do`() throws {
    try pipeline.source.commit(["b/deep/d": "1\n", "e/f": "1\n"])
    try pipeline.push()
    try pipeline.checkout.git("sparse-checkout", "set", "--cone", "--sparse-index", "e")
    try expectRefused("is a sparse index", "sparse-checkout", "disable")
  }

  // MARK: - A place that a first message fills

  /// A machine whose provisioning works in the path at the very time.
  private func work(provisioning name: String) throws {
    let (path, clock) = (path, pipeline.clock)
    let worker = Worker(
      pipeline.applierSettings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: {
        // Asked when the place is filled, and before the message is checked.
        if FileManager.default.fileExists(atPath: path + "/.git") {
          let file = URL(fileURLWithPath: path + "/" + name)
          do {
            try FileManager.default.createDirectory(
              at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("theirs\n".utf8).write(to: file)
          } catch {
            Issue.record(error)
          }
        }
        return clock.now
      }, onAnswer: {})
    while case .progress = try worker.handleNext() {}
  }

  @Test(arguments: ["config/local.ini", "a", "b/c"], [false, true])
  func `what is provisioned while a first message is refused stays`(
    name: String, wasThere: Bool
  ) throws {
    if wasThere { _ = try makeDirectory("live") }
    var forgery = try pipeline.forgery(to: pipeline.source.id(), kind: .pack)
    forgery.message.after = Snapshot(
      revision: forgery.message.after.revision, tree: forgery.message.after.revision)
    try pipeline.deposit(forgery)
    try work(provisioning: name)
    #expect(try pipeline.receipts().allSatisfy { $0.refusal != nil })
    #expect(try String(contentsOfFile: path + "/" + name, encoding: .utf8) == "theirs\n")
    #expect(!FileManager.default.fileExists(atPath: path + "/.git"))
  }

  @Test func `what is provisioned in the way of a first message stays`() throws {
    try pipeline.send()
    try pipeline.transfer()
    try work(provisioning: "a")
    #expect(try pipeline.receipts().map(\.refusal) == [.localChanges])
    #expect(try String(contentsOfFile: path + "/a", encoding: .utf8) == "theirs\n")
    #expect(!FileManager.default.fileExists(atPath: path + "/.git"))
  }

  @Test(arguments: [false, true])
  func `a first message that is refused leaves the place as it was`(wasThere: Bool) throws {
    if wasThere { _ = try makeDirectory("live") }
    var forgery = try pipeline.forgery(to: pipeline.source.id(), kind: .pack)
    forgery.message.after = Snapshot(
      revision: forgery.message.after.revision, tree: forgery.message.after.revision)
    try pipeline.deposit(forgery)
    try pipeline.work()
    #expect(try pipeline.receipts().allSatisfy { $0.refusal != nil })
    #expect(FileManager.default.fileExists(atPath: path) == wasThere)
    if wasThere { #expect(try FileManager.default.contentsOfDirectory(atPath: path) == []) }
  }
}
