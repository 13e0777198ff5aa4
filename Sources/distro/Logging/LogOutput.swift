import Diagnostics
import Foundation
import Host
import Logging
import Synchronization

/// Standard error and, when configured, a file.
final class LogOutput: Sendable {
  private let file: LogFile?
  private let isJournal = Journal.isStandardError
  /// Of events that peers cause: how many lines each may write at once, before it is one a second.
  private static let burst = 20
  private let limiters = Mutex<[Event: RateLimiter]>([:])

  init(file path: String?) throws { file = try path.map { try LogFile($0) } }

  /// How many lines of the event were left out before this one; `nil`: this one is left out as well.
  func leftOutCount(of event: Event) -> Int? {
    guard event.isCausedByPeers else { return 0 }
    let limiter = limiters.withLock { limiters in
      if let limiter = limiters[event] { return limiter }
      let limiter = RateLimiter(burst: Self.burst)
      limiters[event] = limiter
      return limiter
    }
    return limiter.take()
  }

  /// A log that cannot be written must not stop the work that it tells of.
  func write(_ line: String, at level: Logger.Level) {
    let bytes = Array((line + "\n").utf8)
    let prefix = isJournal ? Array(Journal.prefix(of: level).utf8) : []
    do { try FileHandle.standardError.write(contentsOf: prefix + bytes) } catch {}
    do { try file?.append(bytes) } catch {}
  }
}
