import ArgumentParser
import Diagnostics
import MessageFormat

/// Prints a page of docs/reference from what the program knows: `make reference` writes them, and a test says when one is
/// stale. Not shown in the help.
struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Prints a page of docs/reference.", shouldDisplay: false)

  enum Page: String, CaseIterable, ExpressibleByArgument {
    case commands, configuration, events, refusals
  }

  @Argument(help: "commands, configuration, events or refusals.")
  var page: Page

  func run() throws {
    let text =
      switch page {
      case .commands: Self.commands
      case .configuration: Self.configurationKeys
      case .events: Self.events
      case .refusals: Self.refusals
      }
    Terminal.print("<!-- Written by `make reference`; change the program instead. -->\n" + text)
  }

  private static let commands: String = {
    var pages: [String] = []
    for command in Distro.configuration.subcommands where command != ReferenceCommand.self {
      let help = Distro.helpMessage(for: command, columns: 100)
      pages.append("## distro \(command._commandName)\n\n```\n\(help)\n```")
    }
    let rows = ExitStatus.allCases.map { "| \($0.rawValue) | \($0.meaning) |" }
    return """
      # Commands

      \(pages.joined(separator: "\n\n"))

      ## Exit status

      | status | meaning |
      |---|---|
      \(rows.joined(separator: "\n"))

      Errors are two lines on standard error: `distro: error: …` and, where there is something to do, `distro: hint: …`.
      """
  }()

  private static let events: String = {
    let rows = Event.allCases.map {
      "| `\($0.rawValue)` | \($0.level) | \($0.sentence) |\($0.isCausedByPeers ? " yes |" : " |")"
    }
    let codes = ErrorCode.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    return """
      # Events

      Every log line carries `event=NAME`. Names never change their meaning; sentences may. Alert on names.

      A line in text: `TIME LEVEL SENTENCE event=NAME role=ROLE FIELD=VALUE …`. In JSON (`log: {format: json}`): `time`,
      `level`, `event`, `text` (the sentence), `role`, and the fields; numbers are numbers. Lines that peers can cause
      are limited to twenty at once, then one a second; `others` says how many were left out.

      | event | level | sentence | limited |
      |---|---|---|---|
      \(rows.joined(separator: "\n"))

      ## Error codes

      Lines about an error carry `error=…`, `code=CODE` and, where there is something to do, `hint=…`. The codes:

      \(codes.wrapped(at: 120))
      """
  }()

  private static let refusals: String = {
    let rows = Refusal.allCases.map {
      "| `\($0.rawValue)` | \($0.guide.meaning) | \($0.guide.advice) |"
    }
    return """
      # Refusals

      Why an applier did not apply a message. Working copy, index and HEAD stay as they were; the signer gets a receipt with
      the name and a detail, where the applier trusts it, and shows both in `distro status`.

      | name | what happened | what to do |
      |---|---|---|
      \(rows.joined(separator: "\n"))
      """
  }()

  private static let configurationKeys: String = {
    let rows = ConfigurationKey.all.map { "| `\($0.path)` | \($0.role) | \($0.meaning) |" }
    return """
      # Configuration keys

      Files are YAML; relative paths count from the file. An unknown key is an error that names its line and the nearest
      known key. No secret is ever in a configuration. Examples: [config](../../config).

      | key | in | meaning |
      |---|---|---|
      \(rows.joined(separator: "\n"))
      """
  }()
}

extension String {
  /// Lines of at most so many characters, broken at spaces.
  fileprivate func wrapped(at width: Int) -> String {
    var lines = [""]
    for word in split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }
}
