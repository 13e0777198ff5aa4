package import Logging
import Synchronization

/// What was logged: event, sentence and fields, a line each.
package final class TestLog: Sendable {
  private let entries = Mutex<[String]>([])

  package init() {}

  package var lines: [String] { entries.withLock { $0 } }

  package var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  package func count(of text: String) -> Int { lines.count { $0.contains(text) } }

  private struct Handler: LogHandler {
    let log: TestLog
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      var fields = event.metadata ?? [:]
      let name = fields.removeValue(forKey: "event").map { "\($0)" } ?? ""
      log.entries.withLock { $0.append("\(name) \(event.message) \(fields)") }
    }
  }
}
