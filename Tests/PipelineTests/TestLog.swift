import Logging
import Synchronization

/// What was logged: message and metadata, a line each.
final class TestLog: Sendable {
  private let entries = Mutex<[String]>([])

  var lines: [String] { entries.withLock { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  func count(of text: String) -> Int { lines.count { $0.contains(text) } }

  private struct Handler: LogHandler {
    let log: TestLog
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      log.entries.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
  }
}
