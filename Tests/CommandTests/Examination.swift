import Foundation
import TestSupport
import Testing

/// What `distro doctor --json` found.
struct Examination {
  struct Finding: Decodable {
    let area: String
    let subject: String
    let severity: String
    let finding: String
    let advice: String?
  }

  let findings: [Finding]
  let status: Int32

  /// `command`: something that runs the program with its arguments, prlimit(1) for one.
  init(_ installation: Installation, _ name: String, under command: [String] = []) throws {
    let words =
      command + [Installation.executable, "doctor", "--config", name, "--json"]
    let program = PipelineProgram(words[0], in: installation.folder)
    let result = try program.run(Array(words.dropFirst()))
    findings = try JSONDecoder().decode([Finding].self, from: Data(result.output))
    status = result.status
    #expect(findings.contains { $0.severity == "problem" } == (status == 1), "\(findings)")
    #expect(findings.allSatisfy { ($0.advice == nil) || $0.severity != "ok" })
  }

  /// That there is exactly one such finding, with these words, and with something to do.
  func expect(
    _ severity: String, _ area: String, _ words: String, advice: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let matches = findings.filter {
      $0.severity == severity && $0.area == area && "\($0.subject): \($0.finding)".contains(words)
    }
    #expect(matches.count == 1, "\(words): \(findings)", sourceLocation: sourceLocation)
    guard !advice.isEmpty else { return }
    #expect(
      matches.first?.advice?.contains(advice) == true, "\(matches)", sourceLocation: sourceLocation)
  }

  var problems: [String] {
    findings.filter { $0.severity == "problem" }.map { "\($0.area): \($0.finding)" }
  }
}
