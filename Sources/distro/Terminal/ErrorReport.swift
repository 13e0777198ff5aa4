import ArgumentParser
import Diagnostics
import Foundation
import Host
import Logging
import Mailboxes

/// `distro: error: what` and, where there is one, `distro: hint: what to do`.
struct ErrorReport {
  let message: String
  let code: ErrorCode
  let hint: String?

  init(_ message: String, code: ErrorCode = .other, hint: String?) {
    self.message = message
    self.code = code
    self.hint = hint
  }

  /// `usage`: what the argument parser says of a mistake in the command line.
  init(_ error: any Error, usage: String? = nil) {
    if let usage {
      self.init(
        usage, code: .usage,
        hint: "run `distro help` for the commands, `distro help COMMAND` for options")
      return
    }
    switch MailboxError(ofDatabase: error) ?? error {
    case let error as any OperatorError:
      self.init(error.message, code: error.code, hint: error.hint)
    case let error as CocoaError: self.init(error.fault, code: .file, hint: nil)
    default: self.init("\(error)", hint: nil)
    }
    if hint == nil && message.contains("Read-only file system") {
      self.init(
        message, code: .readOnly,
        hint: "in a unit with ProtectSystem=strict, name its directory: ReadWritePaths=")
    }
  }

  /// For a line of the log.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["error": "\(message)", "code": "\(code.rawValue)"]
    if let hint { metadata["hint"] = "\(hint)" }
    return metadata
  }

  func print() {
    let lines = "distro: error: \(message)" + (hint.map { "\ndistro: hint: \($0)" } ?? "")
    // Each line is an entry of the journal's, with a level of its own.
    let prefix = Journal.isStandardError ? Journal.prefix(of: .error) : ""
    for line in lines.split(separator: "\n") { Terminal.printError(prefix + line) }
  }
}
