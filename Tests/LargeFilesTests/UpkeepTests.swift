import Foundation
import GitModel
import LargeFiles
import TestSupport
import Testing

/// A store that can be filled again does not grow without an end.
struct UpkeepTests {
  private let folder: PipelineFolder
  private let store: LargeFileStore
  private static let now = 2_000_000_000

  init() throws {
    folder = try PipelineFolder()
    store = LargeFileStore(gitDirectory: folder.path + "/")
  }

  /// One that was used so many seconds ago.
  private func put(_ text: String, usedBefore seconds: Int) throws -> LargeFilePointer {
    let content = Array(text.utf8)
    var hasher = LargeFileHasher()
    hasher.update(content.span)
    let pointer = try #require(hasher.finish())
    try store.makeIncoming()
    let path = store.incomingPath(of: pointer)
    try Data(content).write(to: URL(fileURLWithPath: path))
    try store.take(path, as: pointer)
    try age(store.path(of: pointer), seconds)
    return pointer
  }

  private func age(_ path: String, _ seconds: Int) throws {
    let date = Date(timeIntervalSince1970: Double(Self.now - seconds))
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
  }

  @Test func `what was not used for a week goes, and beyond the bound the longest unused`() throws {
    let old = try put("old.......", usedBefore: 8 * 86_400)
    let older = try put("older.....", usedBefore: 6 * 86_400)
    let newer = try put("newer.....", usedBefore: 5 * 86_400)
    let fresh = try put("fresh.....", usedBefore: 60)
    let partial = store.incomingDirectory + "partial"
    try Data("half".utf8).write(to: URL(fileURLWithPath: partial))
    try age(partial, 9 * 86_400)
    #expect(try store.removeUnused(at: Self.now) == 14)
    #expect(try !store.contains(old))
    #expect(try [older, newer, fresh].allSatisfy { try store.contains($0) })
    #expect(!FileManager.default.fileExists(atPath: partial))
    var bounds = LargeFileStore.Bounds()
    bounds.byteCountMax = 20
    #expect(try store.removeUnused(at: Self.now, bounds) == 10)
    #expect(try !store.contains(older) && store.contains(newer))
    // What may be about to be read stays.
    bounds.byteCountMax = 0
    #expect(try store.removeUnused(at: Self.now, bounds) == 10)
    #expect(try !store.contains(newer) && store.contains(fresh))
    // A use counts; a clock that was set back removes nothing.
    try age(store.path(of: fresh), 30 * 86_400)
    try store.markUsed(fresh)
    #expect(try store.removeUnused(at: Int(Date().timeIntervalSince1970)) == 0)
    #expect(try store.removeUnused(at: 1_000, bounds) == 0)
  }

  @Test func `what is taken in is compared first`() throws {
    let pointer = try put("content", usedBefore: 0)
    let path = try folder.write("other", "Content")
    #expect(throws: LargeFileError.otherContent(pointer)) { try store.take(path, as: pointer) }
    #expect(FileManager.default.fileExists(atPath: path))
  }
}
