import Diagnostics
import Foundation
import Host
import Logging
import MessageFormat

/// Makes one notice of what happens within a short time, and hands it over, one after the other.
struct NoticeSender {
  /// Over about three hours.
  private static let attemptCountMax = 24
  /// A storm that does not end is told of after so many times of quiet.
  private static let digestCountMax = 6

  private let route: NoticeRoute
  private let carrier: NoticeCarrier
  private let state: ReportingState
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  private var backoff = Backoff(
    first: .seconds(5), longest: .seconds(600), jitter: Backoff.random)
  /// The first event of those that wait, and the newest one, as this run has seen them.
  private var storm: (since: ContinuousClock.Instant, newest: Int64, at: ContinuousClock.Instant)?

  init(
    _ route: NoticeRoute, _ carrier: NoticeCarrier, state: ReportingState, log: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) {
    (self.route, self.carrier, self.state) = (route, carrier, state)
    (self.log, self.now) = (log, now)
  }

  mutating func step() throws -> ReportingLoop.Rest {
    if let open = try state.openNotice(of: route.name) { return try send(open) }
    guard let newest = try state.newestEvent(of: route.name) else {
      storm = nil
      return .init()
    }
    let known = storm ?? (.now, newest, .now)
    storm = known.newest == newest ? known : (known.since, newest, .now)
    let digest = Duration.seconds(route.digestSeconds)
    let quiet = known.newest == newest ? known.at : .now
    let due = min(quiet + digest, known.since + digest * Self.digestCountMax)
    guard due <= .now else { return .init(atMost: due - .now) }
    storm = nil
    _ = try state.makeNotice(
      of: route.name, id: UUID().uuidString.lowercased(), at: now())
    return .none
  }

  private mutating func send(_ open: NoticeRow) throws -> ReportingLoop.Rest {
    let notice = try open.notice()
    let outcome = try carrier.send(notice, except: state.handed(open.id)) { target in
      try state.noteHanded(open.id, to: target)
    }
    guard !outcome.isStopped else { return .none }
    for error in outcome.lost { report(.noticeLost, error, open) }
    guard let error = outcome.failure else {
      backoff.reset()
      try state.end(open, failure: outcome.lost.first?.message)
      var fields: Logger.Metadata = [
        "route": "\(route.name)", "notice": "\(open.id)",
        "events": .number(notice.events.count + notice.omitted),
      ]
      if !outcome.said.isEmpty { fields["output"] = "\(outcome.said)" }
      log.report(.noticeSent, fields)
      return .none
    }
    guard open.failureCount + 1 < Self.attemptCountMax else {
      backoff.reset()
      try state.end(open, failure: error.message)
      report(.noticeLost, error, open)
      return .none
    }
    try state.noteFailed(open, error.message)
    if open.failure != error.message { report(.noticeFailed, error, open) }
    return .init(atLeast: backoff.next(), atMost: .zero)
  }

  private func report(_ event: Event, _ error: any OperatorError, _ open: NoticeRow) {
    var fields: Logger.Metadata = [
      "route": "\(route.name)", "notice": "\(open.id)", "error": "\(error.message)",
      "code": "\(error.code.rawValue)",
    ]
    if let hint = error.hint { fields["hint"] = "\(hint)" }
    log.report(event, fields)
  }
}
