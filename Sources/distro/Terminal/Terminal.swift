import Foundation

/// Standard output and standard error: results go to the first, everything else to the second.
enum Terminal {
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func print(_ line: String) {
    write(line + "\n", to: .standardOutput)
  }

  static func printError(_ line: String) {
    write(line + "\n", to: .standardError)
  }

  /// Over what stands in the line, which only a terminal can take.
  static func overwriteErrorLine(_ text: String) {
    write("\r\u{1b}[K\(text)", to: .standardError)
  }

  /// What another machine wrote, without what a terminal would take for a command.
  static func harmless(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }

  private static func write(_ text: String, to handle: FileHandle) {
    do {
      try handle.write(contentsOf: Data(text.utf8))
    } catch {
      // A closed pipe is no reason to leave the work undone.
    }
  }
}
