import Foundation
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Submodules that are shipped, compared with what `git clone --recurse-submodules` makes of the same revision.
struct SubmoduleTests {
  @Test(arguments: SignerRepository.History.allCases)
  func `submodules come, move, are renamed, go and come again as git has it`(
    history: SignerRepository.History
  ) throws {
    let world = try SubmoduleSource(PipelineOptions(history: history, submodules: .ship))
    try world.push()
    try world.expectAsClone()
    try world.add("mod")
    try world.push()
    try world.expectAsClone()
    // Its files change, with others beside it.
    try world.lib.remove("dir")
    try world.lib.commit(["a": "2\n", "new/c": "2\n"])
    try world.advance("mod", to: world.lib)
    try world.source.write("top", "2\n")
    try world.commit()
    try world.push()
    try world.expectAsClone()
    // The one inside it alone.
    try world.inner.commit(["x": "2\n", "y": "2\n"])
    let nested = PipelineRepository(at: world.lib.path + "/deep/inner", in: world.pipeline.folder)
    try nested.git("pull", "-q", world.inner.path, "main")
    try world.lib.commit([:])
    try world.advance("mod", to: world.lib)
    try world.commit()
    try world.push()
    try world.expectAsClone()
    try world.source.git("mv", "mod", "moved")
    try world.commit()
    try world.push()
    try world.expectAsClone()
    try world.source.git("rm", "-q", "moved")
    try world.commit()
    try world.push()
    try world.expectAsClone()
    try world.source.git("revert", "--no-edit", "HEAD")
    try world.push()
    try world.expectAsClone()
  }

  @Test func `a snapshot has all submodules, and brings those that came as ids`() throws {
    let world = try SubmoduleSource(PipelineOptions())
    try world.add("mod")
    try world.push()
    let place = world.checkout.path + "/mod"
    #expect(try FileManager.default.contentsOfDirectory(atPath: place) == [])
    let shipping = try Pipeline(options: SubmoduleSource.options, existing: world.pipeline.folder)
    let answers = try shipping.push(from: .nothing)
    #expect(answers.map(\.refusal) == [nil], "\(answers.map(\.outcome))")
    try world.expectAsClone()
    // And once more, where all is there.
    #expect(try shipping.push(from: .nothing).last?.refusal == nil)
    try world.expectAsClone()
  }

  @Test func `a submodule in the place of a file comes, and the other way takes two pushes`() throws
  {
    let world = try SubmoduleSource()
    try world.source.commit(["place": "a file\n"])
    try world.push()
    try world.add("mod")
    try world.source.git("rm", "-q", "place")
    try world.add("place")
    try world.push()
    try world.expectAsClone()
    // In one push, git's file would be in the way: it is refused by name, and works in two.
    try world.source.git("rm", "-q", "-f", "mod")
    try world.source.write("mod", "a file now\n")
    try world.source.git("add", "mod")
    try world.commit()
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send() }
  }

  @Test func `what a person did in a submodule is not overwritten`() throws {
    let world = try SubmoduleSource()
    try world.add("mod")
    try world.push()
    try world.lib.commit(["a": "2\n"])
    try world.advance("mod", to: world.lib)
    try world.commit()
    let mod = PipelineRepository(at: world.checkout.path + "/mod", in: world.pipeline.folder)
    let head = try mod.id()
    try mod.write("a", "edited\n")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send() }
    try mod.git("add", "a")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send(from: .nothing) }
    try mod.git("commit", "-q", "-m", "mine")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send(from: .nothing) }
    try mod.git("checkout", "-q", head.hex)
    // A file that is in nobody's way stays.
    try mod.write("theirs", "theirs\n")
    #expect(try world.pipeline.push(from: .nothing).last?.refusal == nil)
    #expect(try mod.git("status", "--porcelain") == "?? theirs")
    try mod.git("clean", "-q", "-f")
    try world.expectAsClone()
  }

  @Test func `a repository that a person made is left alone`() throws {
    let world = try SubmoduleSource()
    try world.push()
    try world.add("mod")
    try world.checkout.git("clone", "-q", world.lib.path, "mod")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send() }
    try world.checkout.remove("mod")
    try world.checkout.git("init", "-q", "--bare", ".git/modules/mod")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send(from: .nothing) }
    try world.checkout.remove(".git/modules")
    #expect(try world.pipeline.push(from: .nothing).last?.refusal == nil)
    try world.expectAsClone()
  }

  @Test func `a submodule below a link of a person's leads nowhere`() throws {
    let world = try SubmoduleSource()
    try world.push()
    let outside = world.pipeline.folder.path("outside")
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: world.checkout.path + "/dir", withDestinationPath: outside)
    try world.add("dir/mod")
    try world.pipeline.expectRefusal(.localChanges) { try world.pipeline.send() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
  }

  @Test func `what cannot be shipped is named, and nothing is sent`() throws {
    let world = try SubmoduleSource()
    try world.source.git(
      "update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "1", count: 40)),mod")
    try world.source.git("commit", "-q", "-m", "unnamed")
    let path = try TreePath("mod")
    func fault() throws -> SubmoduleFault? {
      let error = #expect(throws: SignerError.self) { try world.pipeline.send() }
      guard case .submodule(_, path, let fault)? = error else { return nil }
      return fault
    }
    #expect(try fault() == .unnamed)
    func name(_ url: String) throws {
      try world.source.write(
        ".gitmodules", "[submodule \"mod\"]\n\tpath = mod\n\turl = \(url)\n")
      try world.source.git("add", ".gitmodules")
      try world.source.git("commit", "-q", "-m", "named")
    }
    try name("https://bob:secret@example.org/lib")
    guard let asked = try fault(), case .notHere = asked else {
      Issue.record("a server was asked")
      return
    }
    #expect(!asked.description.contains("secret"))
    try name("../lib")
    guard case .commitMissing? = try fault() else {
      Issue.record("a commit that is not there was sent")
      return
    }
    try name("ext::sh -c id")
    guard case .flaw(.unsafeURL)? = try fault() else {
      Issue.record("a command was taken for a URL")
      return
    }
    #expect(try world.pipeline.sealedMessages().isEmpty)
  }
}
