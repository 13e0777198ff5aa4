import ArgumentParser
import Foundation
import Sodium

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes an identity: NAME.key, which is secret, and NAME.pub, which others need.",
    discussion: """
      The public line goes to standard output as well. Compare the fingerprint over a channel that you trust before \
      you use someone's .pub file.

        distro keygen web1 --directory keys
      """)

  @Argument(help: "Letters, digits and . _ - @; names both files.")
  var name: String

  @Option(help: "Where both files go.")
  var directory = "keys"

  @Option(help: "A file (0600) whose first line becomes the passphrase.")
  var passphraseFile: String?

  @Flag(help: "Asks for a passphrase on the terminal, twice.")
  var passphrase = false

  @Flag(help: "Prints name, fingerprint, public line and both paths as JSON.")
  var json = false

  func validate() throws {
    do {
      _ = try IdentityName(name)
    } catch {
      throw ValidationError("\(error)")
    }
    guard passphraseFile == nil || !passphrase else {
      throw ValidationError("--passphrase and --passphrase-file exclude each other")
    }
  }

  func run() throws {
    let identity = Identity(generating: try IdentityName(name))
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let files = try KeyFile.create(
      identity, inDirectory: directory, passphrase: try chosenPassphrase())
    if json {
      Terminal.print(try Report(identity.public, files).json())
      return
    }
    Terminal.print(identity.public.line)
    Terminal.printError("secret key   \(files.secret)  (mode 0600; never leaves this machine)")
    Terminal.printError("public key   \(files.public)  (for the other side)")
    Terminal.printError("fingerprint  \(identity.public.fingerprint)")
  }

  private func chosenPassphrase() throws -> Passphrase? {
    if let passphraseFile { return try Passphrase(file: passphraseFile) }
    guard passphrase else { return nil }
    return try Passphrase.ask(prompt: "Passphrase for \(name).key: ", twice: true)
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  private struct Report: Encodable {
    let name: String
    let fingerprint: String
    let line: String
    let secretFile: String
    let publicFile: String

    init(_ identity: PublicIdentity, _ files: (secret: String, public: String)) {
      name = identity.name.text
      fingerprint = "\(identity.fingerprint)"
      line = identity.line
      (secretFile, publicFile) = files
    }

    func json() throws -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}
