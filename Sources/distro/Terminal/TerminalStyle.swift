import Foundation
import Host

/// What standard output can show: how wide a line may be, and whether colours reach a person.
struct TerminalStyle {
  /// In characters; 80 where there is no terminal to ask.
  let width: Int
  private let hasColors: Bool

  init(width: Int, hasColors: Bool) {
    (self.width, self.hasColors) = (width, hasColors)
  }

  /// `COLUMNS` goes before what the terminal says; `NO_COLOR` (no-color.org) turns colours off.
  static func ofOutput(environment: [String: String] = ProcessInfo.processInfo.environment) -> Self
  {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let width =
      environment["COLUMNS"].flatMap { Int($0) } ?? (isTerminal ? terminalWidth() : nil) ?? 80
    let hasColors =
      isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    return Self(width: max(40, width), hasColors: hasColors)
  }

  func toned(_ text: String, _ tone: Table.Tone?) -> String {
    guard hasColors, let tone else { return text }
    let color =
      switch tone {
      case .problem: 31
      case .pending: 33
      case .well: 32
      }
    return "\u{1b}[\(color)m\(text)\u{1b}[0m"
  }

  /// Lines that end between words; a longer word has a line of its own. `first`: what the first line begins with in the
  /// place of the indentation, as wide as that or wider.
  func wrapped(_ text: String, indentation: String = "", first: String? = nil) -> [String] {
    var lines: [String] = []
    var line = first ?? indentation
    var isBegun = false
    for word in text.split(separator: " ") {
      if isBegun, line.count + 1 + word.count > width {
        lines.append(line)
        (line, isBegun) = (indentation, false)
      }
      line += (isBegun ? " " : "") + word
      isBegun = true
    }
    return lines + [line]
  }

  private static func terminalWidth() -> Int? {
    guard let columns = HostTerminal.columns(of: STDOUT_FILENO), columns > 0 else { return nil }
    return columns
  }
}
