import Foundation
import GitModel
import TestSupport
import Testing

/// A source with submodules: `mod` and `gone` of the repository `lib`, which has `deep/inner` of the repository `inner`.
struct SubmoduleSource {
  let pipeline: Pipeline
  let lib: PipelineRepository
  let inner: PipelineRepository

  static let options = PipelineOptions(submodules: .ship)

  /// Everything is new, and nothing has been sent.
  init(
    _ options: PipelineOptions = options, in folder: PipelineFolder? = nil
  ) throws {
    let folder = try folder ?? PipelineFolder()
    inner = try PipelineRepository(making: folder.path("inner"), in: folder)
    try inner.commit(["x": "inner 1\n"])
    lib = try PipelineRepository(making: folder.path("lib"), in: folder)
    try lib.commit(["a": "1\n", "dir/b": "1\n"])
    try FileManager.default.createSymbolicLink(
      atPath: lib.path + "/link", withDestinationPath: "a")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: lib.path + "/dir/b")
    try Self.add("../inner", "deep/inner", to: lib)
    pipeline = try Pipeline(options, in: folder, makingSource: true)
    try pipeline.source.commit(["top": "1\n"])
  }

  /// Goes on with what an earlier one has left in the folder.
  init(existing folder: PipelineFolder) throws {
    inner = PipelineRepository(at: folder.path("inner"), in: folder)
    lib = PipelineRepository(at: folder.path("lib"), in: folder)
    pipeline = try Pipeline(options: Self.options, existing: folder)
  }

  var source: PipelineRepository { pipeline.source }
  var checkout: PipelineRepository { pipeline.checkout }

  static func add(_ url: String, _ path: String, to repository: PipelineRepository) throws {
    try git(repository, "submodule", "-q", "add", url, path)
    try git(repository, "submodule", "-q", "update", "--init", "--recursive")
    try repository.git("commit", "-q", "-m", "add \(path)")
  }

  /// With submodules at paths of this machine.
  @discardableResult
  static func git(_ repository: PipelineRepository, _ arguments: String...) throws -> String {
    let result = try repository.run(["-c", "protocol.file.allow=always"] + arguments)
    guard result.status == 0 else { throw ProgramFailure(arguments: arguments, result: result) }
    return result.text
  }

  func add(_ path: String) throws { try Self.add("../lib", path, to: source) }

  /// Brings a submodule of the source, or of one of its submodules, to the newest commit of its repository.
  func advance(_ path: String, to repository: PipelineRepository) throws {
    let place = PipelineRepository(at: source.path + "/" + path, in: pipeline.folder)
    try place.git("fetch", "-q", repository.path, "main")
    try place.git("checkout", "-q", "--detach", "FETCH_HEAD")
    try Self.git(place, "submodule", "-q", "update", "--init", "--recursive")
    try source.git("add", path)
  }

  func commit() throws { try source.git("commit", "-q", "-a", "-m", "change") }

  func push(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let answers = try pipeline.push()
    #expect(
      answers.map(\.refusal) == [nil], "\(answers.map(\.outcome))", sourceLocation: sourceLocation)
  }

  /// That the checkout is what `git clone --recurse-submodules` makes of the source.
  func expectAsClone(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try pipeline.expectEqual()
    let path = pipeline.folder.path("beside-\(UUID().uuidString)")
    try Self.git(source, "clone", "-q", "--recurse-submodules", source.path, path)
    let beside = PipelineRepository(at: path, in: pipeline.folder)
    for repository in [checkout, beside] {
      #expect(try repository.status() == "", sourceLocation: sourceLocation)
    }
    #expect(
      try Self.submodules(of: checkout) == Self.submodules(of: beside),
      sourceLocation: sourceLocation)
    #expect(try Self.files(of: checkout) == Self.files(of: beside), sourceLocation: sourceLocation)
    for path in try Self.submodules(of: checkout).map({ $0.split(separator: " ")[1] }) {
      let submodule = PipelineRepository(at: checkout.path + "/" + path, in: pipeline.folder)
      #expect(try submodule.status() == "", sourceLocation: sourceLocation)
      #expect(try submodule.fsck() == "", sourceLocation: sourceLocation)
      #expect(
        try submodule.run(["symbolic-ref", "-q", "HEAD"]).status == 1,
        sourceLocation: sourceLocation)
    }
  }

  /// A line for each, at all levels: its mark and commit, and its path.
  private static func submodules(of repository: PipelineRepository) throws -> [String] {
    let result = try repository.run(["submodule", "status", "--recursive"])
    return result.text.split(separator: "\n").map { line in
      line.split(separator: " ").prefix(2).joined(separator: " ")
    }
  }

  /// Mode and content of each file, and where links lead; the files `.git` of submodules with them.
  private static func files(of repository: PipelineRepository) throws -> [String: String] {
    let manager = FileManager.default
    var files: [String: String] = [:]
    for name in try manager.subpathsOfDirectory(atPath: repository.path)
    where name != ".git" && !name.hasPrefix(".git/") {
      let path = repository.path + "/" + name
      let attributes = try manager.attributesOfItem(atPath: path)
      switch attributes[.type] as? FileAttributeType {
      case .typeSymbolicLink:
        files[name] = "link \(try manager.destinationOfSymbolicLink(atPath: path))"
      case .typeDirectory: files[name] = "directory"
      default:
        files[name] =
          "\(attributes[.posixPermissions] ?? 0) \(try String(contentsOfFile: path, encoding: .utf8))"
      }
    }
    return files
  }
}

extension Pipeline {
  convenience init(options: PipelineOptions, existing folder: PipelineFolder) throws {
    try self.init(options, in: folder)
  }
}
