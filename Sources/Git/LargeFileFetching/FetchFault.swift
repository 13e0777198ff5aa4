import Diagnostics
import Foundation
import GitModel
import Upstreams
import WebClient

/// What kept one attempt from an end.
struct FetchFault: Error {
  let error: LargeFileFetchError
  /// Another attempt may do better.
  let isPassing: Bool
  /// What the host asks us to wait before it.
  let pauseSeconds: Double?

  init(_ error: LargeFileFetchError, isPassing: Bool = false, _ response: WebResponse? = nil) {
    self.error = error
    self.isPassing = isPassing
    pauseSeconds = response?.retrySeconds(at: Date())
  }

  init(of error: WebError) {
    switch error {
    case .unreachable, .deadline, .broken: self.init(.web(error), isPassing: true)
    case .stopped: self.init(LargeFileFetchError.stopped)
    default: self.init(.web(error))
    }
  }

  static func isPassing(_ status: Int) -> Bool {
    if [501, 507].contains(status) { return false }
    return [408, 425, 429].contains(status) || (500...599).contains(status)
  }

  /// What is said where no other attempt follows.
  func last(pausing seconds: Double) -> LargeFileFetchError {
    guard seconds > 0 else { return error }
    let whole = Int(min(seconds.rounded(.up), 86_400))
    return switch error {
    case .rejected(let place, _, _): .busy(place: place, seconds: whole)
    case .object(_, let host, _, _): .busy(place: host, seconds: whole)
    default: error
    }
  }
}

extension LargeFileFetchError {
  /// Another attempt may do better.
  var isPassing: Bool {
    switch self {
    case .upstream(let error): !error.isLasting && error.code == .upstreamUnreachable
    default: false
    }
  }
}
