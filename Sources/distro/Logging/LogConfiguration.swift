import Foundation
import Logging

/// `log:` in a configuration: where lines go besides standard error, how they look, and from which level on.
struct LogConfiguration: Equatable {
  enum Format: String, CaseIterable { case text, json }

  let format: Format
  let level: Logger.Level
  let file: String?

  static let standard = LogConfiguration(format: .text, level: .info, file: nil)

  init(format: Format, level: Logger.Level, file: String?) {
    self.format = format
    self.level = level
    self.file = file
  }

  init(_ node: ConfigurationNode?, in configuration: ConfigurationFile) throws {
    guard let node else {
      self = .standard
      return
    }
    let mapping = try node.mapping(keys: ["format", "level", "file"])
    format = try mapping[optional: "format"]?.choice(Format.self) ?? .text
    level = try mapping[optional: "level"]?.choice(Logger.Level.self) ?? .info
    file = try mapping[optional: "file"].map { try configuration.path($0) }
  }

  /// `role`: whose lines they are; `nil`: the process's own.
  func logger(for role: String?) throws -> Logger {
    let output = try LogOutput(file: file)
    var logger = Logger(label: "distro") { _ in LineLogHandler(format: format, output: output) }
    logger.logLevel = level
    if let role { logger[metadataKey: "role"] = "\(role)" }
    return logger
  }
}
