import Foundation
import Host
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

  func logger(label: String) throws -> Logger {
    let output = try LogOutput(file: file)
    var logger = Logger(label: label) { _ in LineLogHandler(format: format, output: output) }
    logger.logLevel = level
    return logger
  }
}

/// Standard error and, when configured, a file.
final class LogOutput: Sendable {
  private let file: LogFile?
  private let isJournal = Journal.isStandardError

  init(file path: String?) throws { file = try path.map { try LogFile($0) } }

  /// A log that cannot be written must not stop the work that it tells of.
  func write(_ line: String, at level: Logger.Level) {
    let bytes = Array((line + "\n").utf8)
    let prefix = isJournal ? Array(Journal.prefix(of: level).utf8) : []
    do { try FileHandle.standardError.write(contentsOf: prefix + bytes) } catch {}
    do { try file?.append(bytes) } catch {}
  }
}

/// `2026-11-22T17:00:00Z notice applied revision=… sequence=3`, or the same as one JSON object.
struct LineLogHandler: LogHandler {
  let format: LogConfiguration.Format
  let output: LogOutput
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  init(format: LogConfiguration.Format, output: LogOutput) {
    self.format = format
    self.output = output
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
      .map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
    let time = Date().formatted(.iso8601)
    switch format {
    case .text:
      let text = fields.map { " \($0.0)=\(quoted($0.1))" }.joined()
      output.write("\(time) \(event.level) \(event.message)\(text)", at: event.level)
    case .json:
      var object = Dictionary(fields) { first, _ in first }
      object["time"] = time
      object["level"] = "\(event.level)"
      object["message"] = "\(event.message)"
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      do {
        output.write(String(decoding: try encoder.encode(object), as: UTF8.self), at: event.level)
      } catch {
        output.write("\(time) \(event.level) \(event.message)", at: event.level)
      }
    }
  }

  /// What a peer wrote can neither begin a line of its own nor look like another field.
  private func quoted(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
    guard !isPlain || value.isEmpty else { return value }
    // Swift escapes the apostrophe as well, which nobody needs here.
    return String(reflecting: value).replacing(#"\'"#, with: "'")
  }
}
