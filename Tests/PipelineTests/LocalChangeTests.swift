import Foundation
import GitModel
import MessageFormat
import TestSupport
import Testing

/// What someone did to a checkout by hand, and a message that would run over it.
struct LocalChangeTests {
  /// What is done by hand, and the commit that it is in the way of.
  enum Case: String, CaseIterable {
    case modified, deleted, staged, stagedRemoval, modeChanged, untrackedFile, untrackedDirectory,
      directoryForFile, linkForFile, linkedParent, fileForParent, removedWithChange,
      unmerged, fifo
  }

  private static func started(_ options: PipelineOptions = PipelineOptions()) throws -> Pipeline {
    try Pipeline.started(options, files: ["a": "1\n", "b/c": "2\n", "b/d": "3\n", "keep": "k\n"])
  }

  private static func disturb(_ each: Case, _ pipeline: Pipeline) throws {
    let checkout = pipeline.checkout
    let path = checkout.path
    switch each {
    case .modified: try checkout.write("a", "mine\n")
    case .deleted: try checkout.remove("a")
    case .staged:
      try checkout.write("a", "staged\n")
      try checkout.git("add", "a")
      try checkout.write("a", "1\n")
    case .stagedRemoval: try checkout.git("rm", "-q", "--cached", "a")
    case .modeChanged:
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path + "/a")
    case .untrackedFile: try checkout.write("new", "mine\n")
    case .untrackedDirectory: try checkout.write("new/mine", "mine\n")
    case .directoryForFile:
      try checkout.remove("a")
      try checkout.write("a/mine", "mine\n")
    case .linkForFile:
      try checkout.remove("a")
      try FileManager.default.createSymbolicLink(atPath: path + "/a", withDestinationPath: "keep")
    case .linkedParent:
      try FileManager.default.moveItem(
        atPath: path + "/b", toPath: pipeline.folder.path("elsewhere"))
      try FileManager.default.createSymbolicLink(
        atPath: path + "/b", withDestinationPath: pipeline.folder.path("elsewhere"))
    case .fileForParent:
      try checkout.remove("b")
      try checkout.write("b", "a file now\n")
    case .removedWithChange: try checkout.write("b/d", "mine\n")
    case .unmerged:
      let id = try checkout.git("hash-object", "-w", "a")
      let lines = (1...3).map { "100644 \(id) \($0)\ta\n" }.joined()
      let removal = "0 \(String(repeating: "0", count: 40))\ta\n"
      try checkout.git("update-index", "--index-info", input: Array((removal + lines).utf8))
    case .fifo:
      try checkout.remove("a")
      #expect(unsafe mkfifo(path + "/a", 0o600) == 0)
    }
  }

  private static func change(_ each: Case, _ source: PipelineRepository) throws {
    switch each {
    case .untrackedFile, .untrackedDirectory: try source.commit(["new": "theirs\n"])
    case .linkedParent, .fileForParent: try source.commit(["b/c": "theirs\n"])
    case .removedWithChange:
      try source.remove("b/d")
      try source.commit([:])
    default: try source.commit(["a": "theirs\n"])
    }
  }

  @Test(arguments: Case.allCases)
  func `refuses local change in the way`(each: Case) throws {
    let pipeline = try Self.started()
    try Self.disturb(each, pipeline)
    try Self.change(each, pipeline.source)
    try pipeline.send()
    try pipeline.expectRefusalLeavingFIFOs(each == .fifo)
    #expect(try pipeline.outbox.newest().map(\.refusal) == ["local-changes"])
  }

  private static let untouchable = [Case.untrackedDirectory, .directoryForFile, .fileForParent]

  @Test(arguments: Case.allCases.filter { !untouchable.contains($0) })
  func `overwrites local change where the configuration says so`(each: Case) throws {
    let pipeline = try Self.started(PipelineOptions(onLocalChanges: .overwrite))
    try Self.disturb(each, pipeline)
    try Self.change(each, pipeline.source)
    let receipts = try pipeline.push()
    #expect(receipts.map(\.refusal) == [nil], "\(receipts.map(\.outcome))")
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    let name = ["untrackedFile": "new", "linkedParent": "b/c"][each.rawValue]
    guard each != .removedWithChange else { return }
    let status = try pipeline.checkout.git("status", "--porcelain", "--", name ?? "a")
    #expect(status == "")
  }

  /// Content that nobody has elsewhere is not overwritten by anything.
  @Test(arguments: untouchable)
  func `never removes what no revision holds`(each: Case) throws {
    let pipeline = try Self.started(PipelineOptions(onLocalChanges: .overwrite))
    try Self.disturb(each, pipeline)
    try Self.change(each, pipeline.source)
    try pipeline.send()
    try pipeline.expectRefusal(.localChanges, leavingObjects: true) {}
  }

  /// The first of two queued messages is good, the second has something in the way.
  @Test(arguments: [false, true])
  func `applies what comes before the message that is refused`(overwrites: Bool) throws {
    let pipeline = try Self.started(
      PipelineOptions(onLocalChanges: overwrites ? .overwrite : .refuse))
    try pipeline.checkout.write("new/mine", "mine\n")
    let first = try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.source.commit(["new": "theirs\n"])
    try pipeline.send()
    let receipts = try pipeline.deliver()
    #expect(receipts.map(\.refusal) == [nil, .localChanges])
    #expect(receipts.last?.revision == first)
    #expect(try pipeline.checkout.id() == first)
    #expect(try pipeline.checkout.status() == "?? new/mine")
    // What was in the way is gone: the next push starts where the checkout is.
    try pipeline.checkout.remove("new")
    try pipeline.expectNextPushArrives()
  }

  @Test func `takes file that is there already with the same content`() throws {
    let pipeline = try Self.started()
    try pipeline.checkout.write("new", "theirs\n")
    try pipeline.source.commit(["new": "theirs\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `snapshot never touches a directory with files in it`() throws {
    let pipeline = try Pipeline()
    try FileManager.default.createDirectory(
      atPath: pipeline.checkout.path, withIntermediateDirectories: false)
    try pipeline.checkout.write("mine", "mine\n")
    try pipeline.source.commit(["a": "1\n"])
    try pipeline.send()
    try pipeline.expectRefusal(.checkoutUnusable) {}
  }

  @Test(arguments: [["--bare"], ["--object-format=sha256"]])
  func `refuses repositories that nothing can be applied to`(options: [String]) throws {
    let pipeline = try Pipeline.started()
    try FileManager.default.removeItem(atPath: pipeline.checkout.path)
    _ = try PipelineRepository(
      making: pipeline.checkout.path, in: pipeline.folder, options: options)
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.expectRefusal(.checkoutUnusable) {}
  }

  @Test func `checkout without a commit takes a snapshot`() throws {
    let pipeline = try Pipeline()
    let made = try PipelineRepository(making: pipeline.checkout.path, in: pipeline.folder)
    try made.git("remote", "add", "origin", Pipeline.remote.text)
    try pipeline.source.commit(["a": "1\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }
}

extension Pipeline {
  /// A pipe cannot be read for the comparison.
  fileprivate func expectRefusalLeavingFIFOs(_ hasFIFO: Bool) throws {
    guard hasFIFO else { return try expectRefusal(.localChanges) {} }
    let status = try checkout.status()
    #expect(try deliver().map(\.refusal) == [.localChanges])
    #expect(try checkout.status() == status)
  }
}
