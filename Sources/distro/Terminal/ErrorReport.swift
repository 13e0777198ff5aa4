import Applier
import ArgumentParser
import Foundation
import Git
import Host
import Logging
import Mailboxes
import Signer
import Sodium
import ZeroMQ

/// `distro: error: what` and, where there is one, `distro: hint: what to do`.
struct ErrorReport {
  let message: String
  let hint: String?

  init(_ message: String, hint: String?) {
    self.message = message
    self.hint = hint
  }

  /// `usage`: what the argument parser says of a mistake in the command line.
  init(_ error: any Error, usage: String? = nil) {
    if let usage {
      self.init(usage, hint: "distro help shows the commands, distro help COMMAND its options")
      return
    }
    switch MailboxError(ofDatabase: error) ?? error {
    case let error as CheckoutFault:
      let reason = ErrorReport(error.reason)
      self.init("\(error.path): \(reason.message)", hint: reason.hint)
    case let error as MailboxError: self.init(error.description, hint: error.hint)
    case let error as ConfigurationError: self.init(error.description, hint: error.hint)
    case let error as SignerError: self.init(error.description, hint: error.hint)
    case let error as SodiumError: self.init(error.description, hint: error.hint)
    case let error as GitError: self.init(error.description, hint: error.hint)
    case let error as ZeroMQError: self.init(error.description, hint: error.hint)
    case let error as CocoaError: self.init(error.fault, hint: nil)
    default: self.init("\(error)", hint: nil)
    }
    if hint == nil && message.contains("Read-only file system") {
      self.init(
        message, hint: "in a unit with ProtectSystem=strict, name its directory: ReadWritePaths=")
    }
  }

  /// For a line of the log.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["error": "\(message)"]
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

extension SodiumError {
  var hint: String? {
    switch self {
    case .notThere(let path) where path.hasSuffix(".pub"):
      "copy the .pub file of the other side there, and compare its fingerprint with what it shows"
    case .notThere: "make one with: distro keygen NAME"
    case .alreadyThere: "choose another NAME, or move the old files away"
    case .openToOthers(let path, _): "run: chmod 600 \(path)"
    case .publicInsteadOfSecret: "name the .key file, not the .pub file"
    case .secretInsteadOfPublic: "name the .pub file, not the .key file"
    case .passphraseNeeded:
      "give it with --passphrase-file, or 'passphrase-file:' in the configuration"
    case .damaged, .truncated: "restore the file from a backup, or make a new identity"
    default: nil
    }
  }
}

extension GitError {
  fileprivate var hint: String? {
    switch self {
    case .directoryMissing, .notRepository:
      "'path:' in the configuration must name a git repository"
    case .ownedByAnotherUser(let path): "run: git config --global --add safe.directory \(path)"
    case .objectFormatUnsupported: "only SHA-1 repositories are supported"
    case .revisionMissing: "`git log` in the repository shows what there is"
    case .locked: "wait for the other git command; if none runs, remove the file"
    default: nil
    }
  }
}

extension ZeroMQError {
  fileprivate var hint: String? {
    switch self {
    case .addressInUse:
      "another program listens there: end it, or choose another port in the configuration"
    default: nil
    }
  }
}
