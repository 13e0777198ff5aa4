import Foundation
import GitModel
import LargeFiles
import TestSupport
import Testing

struct StoreTests {
  private let folder: PipelineFolder
  private let store: LargeFileStore
  private let content = [UInt8](repeating: 7, count: 300_000)

  init() throws {
    folder = try PipelineFolder()
    store = LargeFileStore(gitDirectory: folder.path + "/")
  }

  private func pointer(to content: [UInt8]) throws -> LargeFilePointer {
    var hasher = LargeFileHasher()
    hasher.update(content.span)
    return try #require(hasher.finish())
  }

  private func names() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func `what comes in pieces is in the store under its name once it is published`() throws {
    let pointer = try pointer(to: content)
    let incoming = try IncomingLargeFiles(for: store)
    try incoming.begin(pointer)
    for start in stride(from: 0, to: content.count, by: 70_000) {
      try incoming.append(content.span.extracting(start..<min(start + 70_000, content.count)))
    }
    try incoming.finish()
    #expect(try !store.contains(pointer))
    try incoming.publish()
    #expect(try store.contains(pointer))
    let name = pointer.name
    #expect(
      store.path(of: pointer).hasSuffix(
        "lfs/objects/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"))
    var read: [UInt8] = []
    try store.read(pointer) { span in for index in span.indices { read.append(span[index]) } }
    #expect(read == content)
  }

  @Test func `another content is refused and leaves nothing`() throws {
    let pointer = try pointer(to: content)
    for wrong in [Array(content.dropLast()), content + [7], Array(content.dropLast()) + [8]] {
      do {
        let incoming = try IncomingLargeFiles(for: store)
        try incoming.begin(pointer)
        #expect(throws: LargeFileError.otherContent(pointer)) {
          try incoming.append(wrong.span)
          try incoming.finish()
        }
      }
      #expect(try names() == ["lfs"])
    }
  }

  @Test func `what a killed run has left is removed, and not what another repository's brings`()
    throws
  {
    let incoming = try IncomingLargeFiles(for: store)
    try incoming.begin(nil)
    let left = try names()
    let other = LargeFileStore(
      gitDirectory: folder.path("other/"), storage: folder.path("lfs"))
    try IncomingLargeFiles.removeLeftovers(of: other)
    #expect(try names() == left && left.count == 3)
    try IncomingLargeFiles.removeLeftovers(of: store)
    #expect(try names() == ["lfs"])
    withExtendedLifetime(incoming) {}
  }

  @Test func `a file of the right size and another content is found when it is read`() throws {
    let pointer = try pointer(to: content)
    let path = store.path(of: pointer)
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try Data(content.dropLast() + [8]).write(to: URL(fileURLWithPath: path))
    #expect(throws: LargeFileReading<Never>.self) { try store.read(pointer) { _ in } }
    try Data(content.dropLast()).write(to: URL(fileURLWithPath: path))
    #expect(try !store.contains(pointer))
  }
}
