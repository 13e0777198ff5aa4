import Foundation
import MessageFormat
import Testing

/// docs/message-format.md says what the code does.
@Suite struct DocumentTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test(arguments: ["message", "sealed", "carrier"]) func `holds the proto files`(name: String)
    throws
  {
    let definition = try Self.text("Sources/Messages/MessageFormat/proto/\(name).proto")
    #expect(try Self.text("docs/message-format.md").contains("```proto\n\(definition)```"))
  }

  @Test func `explains every refusal`() throws {
    let lines = try Self.text("docs/message-format.md").split(separator: "\n")
    for name in Refusal.allCases.map(\.rawValue) + CarrierRefusal.allCases.map(\.rawValue) {
      #expect(lines.contains { $0.hasPrefix("| `\(name)` |") }, "\(name)")
    }
  }

  @Test func `every block has its row`() throws {
    let document = try Self.text("docs/message-format.md")
    let section = try #require(document.components(separatedBy: "\n## Blocks\n").dropFirst().first)
    let lines = try #require(section.components(separatedBy: "\n## ").first)
      .split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(
      lines.map { String($0.dropFirst(3).prefix { $0 != "`" }) }
        == BlockReason.allCases.map(\.rawValue))
  }

  @Test func `says every limit`() throws {
    let limits: [(String, UInt64)] = [
      ("chunk", UInt64(Limits.chunkByteCountMax)),
      ("broker message", UInt64(Limits.brokerMessageByteCountMax)),
      ("parts of a broker message", UInt64(Limits.brokerPartCountMax)),
      ("chunk content", UInt64(Limits.chunkPlaintextByteCountMax)),
      ("chunks of a sealed message", UInt64(Limits.chunkCountMax)),
      ("recipients", UInt64(Limits.recipientCountMax)),
      ("statement", UInt64(Limits.statementByteCountMax)),
      ("signatures", UInt64(Limits.signatureCountMax)),
      ("remote", UInt64(Limits.remoteByteCountMax)),
      ("ref", UInt64(Limits.refByteCountMax)),
      ("detail", UInt64(Limits.detailByteCountMax)),
      ("streams of a heartbeat", UInt64(Limits.heartbeatStreamCountMax)),
      ("names of a heartbeat's streams", UInt64(Limits.heartbeatNameByteCountMax)),
      ("parts of a heartbeat", UInt64(Limits.heartbeatPartCountMax)),
      ("details of a report", UInt64(Limits.reportDetailByteCountMax)),
      ("commit object", UInt64(Limits.commitByteCountMax)),
      ("sequence, times", Limits.numberMax),
      ("payload, inflated", Limits.payloadInflatedByteCountMax),
      ("patch text", UInt64(Limits.patchByteCountMax)),
      ("file that a patch changes", UInt64(Limits.patchedFileByteCountMax)),
      ("paths that a patch changes", UInt64(Limits.patchedPathCountMax)),
      ("objects in a pack", UInt64(Limits.packObjectCountMax)),
      ("object", Limits.objectByteCountMax),
      ("directories above a path", UInt64(Limits.treeDepthMax)),
      ("clock skew", Limits.clockSkewMillisecondsMax),
      ("lifetime", Limits.lifetimeMillisecondsMax),
      ("carrier frame without chunk", UInt64(Limits.carrierFrameByteCountMax)),
      ("credit", UInt64(Limits.creditMax)),
      ("wait for a collect", UInt64(Limits.collectWaitMillisecondsMax)),
      ("unfinished deposits", UInt64(Limits.openDepositCountMax)),
      ("offer without a chunk", Limits.depositSilentMillisecondsMax),
    ]
    let lines = try Self.text("docs/message-format.md").split(separator: "\n")
    for (name, value) in limits {
      #expect(lines.contains { $0.hasPrefix("| \(name) | \(grouped(value)) ") }, "\(name) \(value)")
    }
  }

  @Test func `gives the identities of the worked example`() throws {
    let document = try Self.text("docs/message-format.md")
    for name in ["snapshot", "patch"] {
      let vector = try Self.text("Tests/SealingTests/Vectors/\(name).txt")
      for key in ["digest", "signature", "id", "payload", "body"] {
        let line = try #require(vector.split(separator: "\n").first { $0.hasPrefix("\(key): ") })
        let digits = line.dropFirst(key.count + 2)
        // Broken into lines of 64 digits.
        #expect(
          document.filter { !$0.isWhitespace }.contains(digits), "\(name): \(key)")
      }
    }
  }

  private func grouped(_ value: UInt64) -> String {
    var digits = Array(String(value))
    for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: index) }
    return String(digits)
  }
}
