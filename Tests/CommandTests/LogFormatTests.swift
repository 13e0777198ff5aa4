import Foundation
import TestSupport
import Testing

/// `log: {format: json}`, as programs read it.
struct LogFormatTests {
  @Test func `logs go to a file as JSON where configured`() throws {
    let installation = try Installation(
      .init(applier: "log: {format: json, level: info, file: web1.log}"))
    try installation.source.commit(["a": "1\n"])
    let daemon = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web1.yaml"])
    let line = try daemon.line(with: #""event":"listening""#)
    let fields = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(fields["level"] == "notice" && fields["role"] == "applier", "\(fields)")
    try installation.writeSigner(connect: try #require(fields["endpoint"]))
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    let file = try String(contentsOfFile: installation.folder.path("web1.log"), encoding: .utf8)
    let entries = try file.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let applied = try #require(entries.first { $0["event"] as? String == "applied" })
    // The message's id has its own key beside the sentence, and numbers are numbers.
    let id = try #require(applied["message"] as? String)
    #expect(id.count == 12 && id.allSatisfy(\.isHexDigit), "\(applied)")
    #expect(applied["paths"] is Int && applied["sequence"] is Int, "\(applied)")
    #expect(applied["text"] as? String == "applied message")
  }
}
