import Diagnostics
import Foundation
import Logging

/// `2026-11-22T17:00:00Z notice applied message event=applied revision=… sequence=3`, or the same as one JSON object.
///
/// What peers can cause without end is limited here, so that a flood fills no disk.
struct LineLogHandler: LogHandler {
  /// What the line itself says; a field of the same name gets an underscore.
  private static let reserved: Set<String> = ["time", "level", "event", "text"]

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

  func log(event line: LogEvent) {
    var fields = metadata.merging(line.metadata ?? [:]) { $1 }
    let event = fields.removeValue(forKey: "event").flatMap { Event(rawValue: "\($0)") } ?? .library
    guard let leftOutCount = output.leftOutCount(of: event) else { return }
    if leftOutCount > 0 { fields["others"] = .number(leftOutCount) }
    let time = Date().formatted(.iso8601)
    let text =
      switch format {
      case .text: self.text(time, line, event, fields)
      case .json: json(time, line, event, fields)
      }
    output.write(text, at: line.level)
  }

  private func text(
    _ time: String, _ line: LogEvent, _ event: Event, _ fields: Logger.Metadata
  ) -> String {
    var (fields, role) = (fields, "")
    if let name = fields.removeValue(forKey: "role") { role = " role=\(quoted("\(name)"))" }
    let pairs = fields.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
      .map { " \($0.0)=\(quoted($0.1))" }
    return "\(time) \(line.level) \(line.message) event=\(event.rawValue)\(role)\(pairs.joined())"
  }

  private func json(
    _ time: String, _ line: LogEvent, _ event: Event, _ fields: Logger.Metadata
  ) -> String {
    var object: [String: JSONField] = [
      "time": .text(time), "level": .text("\(line.level)"), "event": .text(event.rawValue),
      "text": .text("\(line.message)"),
    ]
    for (key, value) in fields {
      object[Self.reserved.contains(key) ? key + "_" : key] = JSONField(value)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(object), as: UTF8.self)
    } catch {
      preconditionFailure("texts and whole numbers are always JSON: \(error)")
    }
  }

  /// What a peer wrote can neither begin a line of its own nor look like another field.
  private func quoted(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
    guard !isPlain || value.isEmpty else { return value }
    // Swift escapes the apostrophe as well, which is not needed here.
    return String(reflecting: value).replacing(#"\'"#, with: "'")
  }
}

/// A value of a field: numbers stay numbers.
private enum JSONField: Encodable {
  case text(String)
  case number(Int64)

  init(_ value: Logger.MetadataValue) {
    if case .stringConvertible(let number as Int64) = value {
      self = .number(number)
    } else {
      self = .text("\(value)")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    }
  }
}
