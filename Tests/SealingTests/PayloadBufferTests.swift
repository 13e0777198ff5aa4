import Foundation
import MessageFormat
import Sealing
import Spool
import Testing

@Suite struct PayloadBufferTests {
  /// Gone with the test.
  private final class Folder {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "payload-" + UUID().uuidString
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    }

    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path) }
    }

    deinit {
      do { try FileManager.default.removeItem(atPath: path) } catch {
        Issue.record("\(path) stays behind: \(error)")
      }
    }
  }

  private static func content(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
  }

  @Test(arguments: [0, 1, 131_055, 131_056, 1 << 20, 1 << 20 + 1, 3_000_000])
  func `gives back what was appended`(count: Int) throws {
    let folder = try Folder()
    let content = Self.content(count)
    let buffer = PayloadBuffer(directory: folder.path)
    for start in stride(from: 0, to: count, by: 100_000) {
      try buffer.append(Array(content[start..<min(start + 100_000, count)]))
    }
    #expect(buffer.byteCount == UInt64(count))
    #expect(buffer.finish() == ContentDigest(of: content))
    var pieces: [[UInt8]] = []
    var lasts: [Bool] = []
    try buffer.forEachPiece { piece, isLast in
      pieces.append(piece)
      lasts.append(isLast)
    }
    #expect(pieces.flatMap { $0 } == content)
    #expect(pieces.dropLast().allSatisfy { $0.count == Limits.chunkPlaintextByteCountMax })
    #expect(lasts == pieces.indices.map { $0 == pieces.count - 1 })
    #expect(try folder.names.isEmpty, "its file has no name")
  }

  @Test func `reads any range`() throws {
    let folder = try Folder()
    let content = Self.content(1_500_000)
    let buffer = PayloadBuffer(directory: folder.path)
    try buffer.append(content)
    for (offset, count) in [(0, 1), (1_048_575, 2), (1_499_999, 1), (5, 1_400_000)] {
      #expect(
        try buffer.read(at: UInt64(offset), count: count)
          == Array(content[offset..<offset + count]))
    }
  }

  @Test func `says when its directory is not there`() throws {
    let buffer = PayloadBuffer(directory: "/nonexistent/spool")
    try buffer.append([1, 2, 3])
    #expect(throws: SpoolError.self) { try buffer.append(Self.content(1 << 20)) }
  }
}
