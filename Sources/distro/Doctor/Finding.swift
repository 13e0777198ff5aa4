import Foundation

/// One thing that `distro doctor` looked at, and what to do where it is not as it should be.
struct Finding: Encodable {
  enum Severity: String, Encodable {
    case ok, warning, problem

    var tone: Table.Tone {
      switch self {
      case .ok: .well
      case .warning: .pending
      case .problem: .problem
      }
    }
  }

  /// What it is about; the names are part of the interface, docs/reference/json.md lists them.
  enum Area: String, Encodable {
    case configuration, key, state, disk, clock, limits, checkout, repository, carrier, trust,
      socket, status, notice
  }

  let area: Area
  let subject: String
  let severity: Severity
  let finding: String
  let advice: String?
}

/// Findings in the order in which they were made.
struct Examination {
  private(set) var findings: [Finding] = []

  var hasProblems: Bool { findings.contains { $0.severity == .problem } }

  mutating func ok(_ area: Finding.Area, _ subject: String, _ finding: String) {
    add(area, subject, .ok, finding, nil)
  }

  mutating func warn(
    _ area: Finding.Area, _ subject: String, _ finding: String, do advice: String
  ) {
    add(area, subject, .warning, finding, advice)
  }

  mutating func fail(
    _ area: Finding.Area, _ subject: String, _ finding: String, do advice: String?
  ) {
    add(area, subject, .problem, finding, advice)
  }

  /// What could not be looked at is a problem of its own.
  mutating func fail(_ area: Finding.Area, _ subject: String, _ error: any Error) {
    let report = ErrorReport(error)
    fail(area, subject, report.message, do: report.hint)
  }

  private mutating func add(
    _ area: Finding.Area, _ subject: String, _ severity: Finding.Severity, _ finding: String,
    _ advice: String?
  ) {
    findings.append(
      Finding(
        area: area, subject: Terminal.harmless(subject), severity: severity,
        finding: Terminal.harmless(finding), advice: advice.map { Terminal.harmless($0) }))
  }

  func text(_ style: TerminalStyle) -> String {
    let indentation = String(repeating: " ", count: 9)
    return findings.flatMap { finding in
      let severity = finding.severity.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
      var lines = style.wrapped(
        "\(finding.subject): \(finding.finding)", indentation: indentation,
        first: "\(severity)  \(finding.area.rawValue)  ")
      lines[0].replaceSubrange(
        lines[0].startIndex..<lines[0].index(lines[0].startIndex, offsetBy: severity.count),
        with: style.toned(severity, finding.severity.tone))
      if let advice = finding.advice {
        lines += style.wrapped(
          advice, indentation: indentation + "    ", first: indentation + "do: ")
      }
      return lines
    }.joined(separator: "\n")
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(findings), as: UTF8.self)
  }
}
