import Foundation
import Host
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
    path(text: try node.string())
  }

  func path(text: String) -> String {
    if text.hasPrefix("/") { return URL(fileURLWithPath: text).standardizedFileURL.path }
    return URL(fileURLWithPath: directory).appendingPathComponent(text).standardizedFileURL.path
  }

  func publicIdentity(_ node: ConfigurationNode) throws -> PublicIdentity {
    let path = try path(node)
    return try key { () throws(SodiumError) in try KeyFile.readPublic(path) }
  }

  /// A key file is part of what a configuration says.
  private func key<Value>(
    _ read: () throws(SodiumError) -> Value
  ) throws(ConfigurationError) -> Value {
    do throws(SodiumError) { return try read() } catch { throw .key(error) }
  }

  /// The secret key of `identity:`, unlocked by `passphrase-file:` or on the terminal.
  func identity(_ mapping: ConfigurationMapping) throws -> Identity {
    let secret = try path(try mapping["identity"])
    let passphrase = try mapping[optional: "passphrase-file"].map { try path($0) }
    return try key { () throws(SodiumError) in
      let locked = try KeyFile.readSecret(secret)
      guard locked.needsPassphrase else { return try locked.unlock() }
      if let passphrase { return try locked.unlock(passphrase: Passphrase(file: passphrase)) }
      return try locked.unlock(passphrase: Self.ask(for: secret))
    }
  }

  private static func ask(for path: String) throws(SodiumError) -> Passphrase {
    do throws(SodiumError) {
      return try Passphrase.ask(prompt: "Passphrase for \(path): ", twice: false)
    } catch .noTerminal {
      throw .passphraseNeeded(path)
    } catch {
      throw error
    }
  }
}
