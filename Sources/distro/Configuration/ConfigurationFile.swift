import Foundation
import Machine
import Sodium

/// A configuration file, and what values of it mean: paths count from the file, keys are loaded.
struct ConfigurationFile {
  static let byteCountMax = 1 << 20

  private let directory: String
  let root: ConfigurationNode

  init(_ path: String) throws {
    let data: Data
    do {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      guard size <= Self.byteCountMax else {
        throw ConfigurationError.unreadable(
          file: path, reason: "\(size) bytes are over the limit of \(Self.byteCountMax)")
      }
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch let error as CocoaError {
      let isMissing = error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile
      throw ConfigurationError.unreadable(
        file: path, reason: isMissing ? "there is no such file" : error.fault)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError.unreadable(file: path, reason: "it is not UTF-8")
    }
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
    directory = parent.standardizedFileURL.path
    root = try ConfigurationNode(file: path, text: text)
  }

  /// Absolute; relative ones count from the file.
  func path(_ node: ConfigurationNode) throws -> String {
    let text = try node.string()
    if text.hasPrefix("/") { return URL(fileURLWithPath: text).standardizedFileURL.path }
    return URL(fileURLWithPath: directory).appendingPathComponent(text).standardizedFileURL.path
  }

  func publicIdentity(_ node: ConfigurationNode) throws -> PublicIdentity {
    try KeyFile.readPublic(try path(node))
  }

  /// The secret key of `identity:`, unlocked by `passphrase-file:` or on the terminal.
  func identity(_ mapping: ConfigurationMapping) throws -> Identity {
    let locked = try KeyFile.readSecret(try path(try mapping["identity"]))
    guard locked.needsPassphrase else { return try locked.unlock() }
    if let file = mapping[optional: "passphrase-file"] {
      return try locked.unlock(passphrase: Passphrase(file: try path(file)))
    }
    let passphrase: Passphrase
    do {
      passphrase = try Passphrase.ask(prompt: "Passphrase for \(locked.path): ", twice: false)
    } catch SodiumError.noTerminal {
      throw SodiumError.passphraseNeeded(locked.path)
    }
    return try locked.unlock(passphrase: passphrase)
  }
}
