import Foundation
import Logging

/// systemd's journal, which tells levels apart when a line begins with one (sd-daemon(3), "SD_WARNING").
enum Journal {
  /// Whether standard error leads there: `JOURNAL_STREAM` names the device and inode that it then has (systemd.exec(5)).
  static var isStandardError: Bool {
    guard let stream = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] else { return false }
    var status = stat()
    return fstat(STDERR_FILENO, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
  }

  static func prefix(of level: Logger.Level) -> String {
    let number =
      switch level {
      case .trace, .debug: 7
      case .info: 6
      case .notice: 5
      case .warning: 4
      case .error: 3
      case .critical: 2
      }
    return "<\(number)>"
  }
}
