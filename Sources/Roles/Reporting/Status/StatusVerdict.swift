import Foundation
package import MessageFormat
package import WebClient

/// What a host's answer means for what was sent, and for what comes next.
package enum StatusVerdict: Equatable {
  /// `external`: the number that the host gave.
  case taken(external: Int64?, pause: Duration?)
  /// All calls to this host wait.
  case wait(ReportingError, Duration?)
  /// The host refuses this status alone.
  case refused(ReportingError)

  /// No pause is longer, whatever a host says.
  package static let pauseMax: Duration = .seconds(3_600)
  /// GitHub asks for a minute at least where it says nothing of how long.
  private static let pauseUntold: Duration = .seconds(60)

  package init(_ response: WebResponse, from host: String, at now: Timestamp) {
    let limit = Self.pause(
      response, at: Date(timeIntervalSince1970: Double(now.milliseconds) / 1_000))
    switch response.status {
    case 200..<300:
      self = .taken(
        external: (response.object?["id"] as? NSNumber)?.int64Value,
        pause: Self.isUsedUp(response) ? limit ?? Self.pauseUntold : nil)
    case 429: self = .limited(host, limit ?? Self.pauseUntold)
    case 403 where limit != nil || Self.isUsedUp(response) || Self.isSecondaryLimit(response):
      self = .limited(host, limit ?? Self.pauseUntold)
    // GitLab's word for a state that a status already has.
    case 400 where response.message.contains("Cannot transition status"):
      self = .taken(external: nil, pause: nil)
    case 401, 500..., 408, 407:
      self = .wait(Self.rejected(response, host), limit)
    default: self = .refused(Self.rejected(response, host))
    }
  }

  private static func limited(_ host: String, _ pause: Duration) -> StatusVerdict {
    .wait(.limited(by: host, seconds: Int(pause.components.seconds)), pause)
  }

  private static func rejected(_ response: WebResponse, _ host: String) -> ReportingError {
    .rejected(by: host, status: response.status, detail: response.message)
  }

  private static func isSecondaryLimit(_ response: WebResponse) -> Bool {
    let text = response.message.lowercased()
    return text.contains("rate limit") || text.contains("abuse")
  }

  private static func isUsedUp(_ response: WebResponse) -> Bool {
    ["x-ratelimit-remaining", "ratelimit-remaining"].contains { response.header($0) == "0" }
  }

  /// What the headers ask for: `Retry-After` in seconds or as a date; the time of a limit's end counts from the host's own
  /// clock. `nil`: nothing.
  private static func pause(_ response: WebResponse, at now: Date) -> Duration? {
    var seconds = response.retrySeconds(at: now)
    if seconds == nil, response.header("retry-after") == nil, isUsedUp(response) {
      let reset = ["x-ratelimit-reset", "ratelimit-reset"].compactMap { response.header($0) }.first
      let hostNow = response.hostTime(at: now).timeIntervalSince1970
      seconds = reset.flatMap { Double($0) }.map { $0 - hostNow }
    }
    guard let seconds, seconds.isFinite else { return nil }
    return .seconds(min(max(seconds.rounded(.up), 1), Double(pauseMax.components.seconds)))
  }
}
