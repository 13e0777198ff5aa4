import Foundation
import TestSupport
import Testing

/// A signer and an applier that meet at a broker, or by files, whatever it is.
extension Installation {
  /// These carriers of `name`.yaml, and no others. `settings`: lines besides.
  func carry(_ name: String, by entries: String..., settings: String = "") throws {
    let text = try String(contentsOfFile: folder.path("\(name).yaml"), encoding: .utf8)
    let begin = try #require(text.range(of: "carriers:\n"))
    let end = try #require(
      text.range(of: name == "signer" ? "repositories:" : "trusted-signers:"))
    let carriers = "carriers:\n" + entries.map { "  - \($0)\n" }.joined()
    try folder.write(
      "\(name).yaml", text[..<begin.lowerBound] + settings + carriers + text[end.lowerBound...])
  }

  /// Both meet there.
  func carry(by entry: String) throws {
    for name in ["signer", "web1"] { try carry(name, by: entry) }
  }

  func push(_ content: String, to applier: RunningProgram) throws {
    try source.commit(["a": content])
    // Three servers on a busy machine may take a while to agree on a leader.
    let result = try sendMain(wait: 100)
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try expectEqual()
  }

  /// One that is off gets it when it looks.
  func pushToOneThatIsOff(_ content: String) throws {
    try source.commit(["a": content])
    #expect(try sendMain(until: "stored, no receipt").status == 1)
    let once = try run("verify-apply", "--once", "--config", "web1.yaml")
    #expect(once.status == 0, "\(once.errors)")
    try expectEqual()
    #expect(try send("--flush").status == 0)
  }
}

extension PipelineFolder {
  /// A line that its owner alone can read.
  @discardableResult
  func writeSecret(_ text: String, to name: String) throws -> String {
    let path = try write(name, text + "\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }
}
