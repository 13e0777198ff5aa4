import Foundation
import Git
import Testing

/// docs/message-format.md says what a checkout may hold.
struct LimitsDocumentTests {
  @Test func `the document says the limits of a checkout`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appendingPathComponent("docs/message-format.md"), encoding: .utf8)
    for (name, value) in [
      ("paths of a checkout", TreeLimits.pathCountMaxDefault),
      ("bytes of a checkout's paths", TreeLimits.pathByteCountMaxDefault),
      ("bytes of a checkout", TreeLimits.byteCountMaxDefault),
    ] {
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("| \(name) |") })
      #expect(line.split(separator: "|")[1].filter(\.isNumber) == "\(value)", "\(name)")
    }
  }
}
