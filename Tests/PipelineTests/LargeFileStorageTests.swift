import Foundation
import LargeFiles
import TestSupport
import Testing

/// Another place for contents (`lfs.storage`), and their rights (`core.sharedRepository`).
struct LargeFileStorageTests {
  /// Where git-lfs itself has the contents of a repository.
  private func directory(of repository: PipelineRepository) throws -> String {
    let line = try repository.git("lfs", "env").split(separator: "\n")
      .first { $0.hasPrefix("LocalMediaDir=") }
    return String(try #require(line).dropFirst("LocalMediaDir=".count))
  }

  @Test(arguments: ["big", "/"])
  func `contents lie where git-lfs is told to have them`(storage: String) throws {
    let pipeline = try Pipeline.shipping()
    for (repository, name) in [(pipeline.source, "there"), (pipeline.checkout, "here")] {
      try repository.git(
        "config", "lfs.storage", storage == "/" ? pipeline.folder.path(name) : storage)
    }
    let pointer = try Pipeline.pointer(to: "second\n")
    let text = try pipeline.largeFile("second\n")
    let source = LargeFileStore(
      gitDirectory: pipeline.source.path + "/.git/",
      storage: storage == "/" ? pipeline.folder.path("there") : storage)
    #expect(try directory(of: pipeline.source) == source.directory)
    let place = URL(fileURLWithPath: source.path(of: pointer))
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: pipeline.sourceStore.path(of: pointer), toPath: place.path)
    try pipeline.source.commit(["big.bin": text])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.text("big.bin") == "second\n")
    #expect(try pipeline.checkout.status() == "")
    let name = pointer.name
    let path =
      try directory(of: pipeline.checkout)
      + "/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
    #expect(FileManager.default.contents(atPath: path) == Data("second\n".utf8))
    #expect(try !pipeline.checkoutStore.contains(pointer))
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test(arguments: [("group", 0o660, 0o2770), ("world", 0o664, 0o2775), ("0640", 0o640, 0o2750)])
  func `contents are as shared as the repository`(shared: String, file: Int, directory: Int) throws
  {
    let pipeline = try Pipeline.shipping()
    try pipeline.checkout.git("config", "core.sharedRepository", shared)
    let text = try pipeline.largeFile("second\n")
    try pipeline.source.commit(["big.bin": text])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    let path = pipeline.checkoutStore.path(of: try Pipeline.pointer(to: "second\n"))
    let place = URL(fileURLWithPath: path).deletingLastPathComponent().path
    #expect(try mode(path) & file == file)
    #expect(try mode(place) & directory == directory)
    if shared == "0640" { #expect(try mode(path) == file && mode(place) == directory) }
  }
}
