import Diagnostics
import Foundation
import Host
import Logging
import MessageFormat
import WebClient

/// Tells one host what it is to show, line by line: each is told what is true when its turn comes.
///
/// At least once: a run that is killed between an answer and its note tells the same again.
struct StatusSender {
  /// A line that the host does not take is tried so often, over about an hour.
  private static let attemptCountMax = 8
  private static let lineBackoff: (first: Duration, longest: Duration) = (
    .seconds(10), .seconds(900)
  )
  /// Lines that change all the time are told more and more seldom from the sixth time on.
  private static let quickCount = 5
  private static let slowest: Duration = .seconds(600)
  /// A token that was refused is looked at so often.
  private static let tokenLook: Duration = .seconds(5)

  private let group: StatusGroup
  private let state: ReportingState
  private let client: WebClient
  private let hosts: ServerWatch
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  /// What an earlier run was asked to wait for has been looked at.
  private var hasResumed = false
  private var backoff = Backoff(
    first: .seconds(2), longest: .seconds(300), jitter: Backoff.random)
  private var pausedUntil = ContinuousClock.now
  /// Was refused; another one ends the pause.
  private var refusedToken: [WebRequest.Header]?
  /// Lines whose turn comes later.
  private var resting: [Int64: ContinuousClock.Instant] = [:]
  /// How often the host broke at a line: another one has its turn first, as it may be this one's fault.
  private var breakCounts: [Int64: Int] = [:]

  init(
    _ group: StatusGroup, state: ReportingState, client: WebClient, hosts: ServerWatch,
    log: Logger, now: @escaping @Sendable () -> Timestamp
  ) {
    (self.group, self.state, self.client, self.hosts) = (group, state, client, hosts)
    (self.log, self.now) = (log, now)
  }

  mutating func step() throws -> ReportingLoop.Rest {
    if !hasResumed { try resumePause() }
    let pause = pausedUntil - .now
    if pause > .zero {
      guard let refusedToken else { return .init(atLeast: pause, atMost: .zero) }
      guard let token = token(of: group.targets[0]), token != refusedToken else {
        return .init(atLeast: min(pause, Self.tokenLook), atMost: .zero)
      }
      pausedUntil = .now
    }
    resting = resting.filter { $0.value > .now }
    let row = try state.nextStatus(
      of: group.targets.map(\.remote), except: Set(resting.keys))
    guard let row, let target = group.targets.first(where: { $0.remote == row.item.key.remote })
    else { return .init(atMost: resting.values.min().map { max(.zero, $0 - .now) }) }
    if row.sentCount >= group.host.statusCountMax {
      try refuse(row, ReportingError.rejected(by: group.name, status: 422, detail: "too many"))
      return .none
    }
    try tell(row, target)
    return .init(atLeast: group.host.pace, atMost: .zero)
  }

  /// A time that lies further ahead than any pause was stored by a wrong clock.
  private mutating func resumePause() throws {
    hasResumed = true
    guard let until = try state.pause(of: group.key) else { return }
    let rest = Duration.milliseconds(Int64(until.milliseconds) - Int64(now().milliseconds))
    if rest <= StatusVerdict.pauseMax { pausedUntil = .now + max(.zero, rest) }
  }

  /// The host has asked for it.
  private mutating func wait(for pause: Duration) throws {
    pausedUntil = .now + pause
    let (seconds, attoseconds) = pause.components
    let milliseconds = UInt64(max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    try state.notePause(of: group.key, until: now().adding(milliseconds: milliseconds))
  }

  /// `nil`: it cannot be read.
  private func token(of target: StatusTarget) -> [WebRequest.Header]? {
    do { return try HostToken(of: target).headers } catch { return nil }
  }

  private mutating func tell(_ row: StatusRow, _ target: StatusTarget) throws {
    let response: WebResponse
    let credentials: [WebRequest.Header]
    do {
      credentials = try HostToken(of: target).headers
      var request = try StatusCall(target: target).request(for: row.item, external: row.external)
      request.credentials = credentials
      response = try client.send(request)
    } catch WebError.stopped {
      return
    } catch WebError.redirected(_, let status, let place) {
      return try refuse(
        row, .rejected(by: group.name, status: status, detail: "leads to \(place)"))
    } catch let error as any OperatorError {
      refusedToken = error is ReportingError ? [] : nil
      return try pause(for: error, nil, at: row)
    }
    switch StatusVerdict(response, from: group.name, at: now()) {
    case .taken(let external, let pause): try take(row, external, pause)
    case .wait(let error, let pause):
      if case .rejected(_, 401, _) = error {
        refusedToken = credentials
      } else {
        refusedToken = nil
      }
      try self.pause(for: error, pause, at: row)
    case .refused(let error):
      try works()
      try refuse(row, error)
    }
  }

  private mutating func take(_ row: StatusRow, _ external: Int64?, _ pause: Duration?) throws {
    let item = row.item
    // GitHub's deployment is there, and has no state yet.
    let isHalf = item.key.kind == .deployment && group.host == .github && row.external == nil
    if isHalf, let external {
      try state.note(external, of: row)
    } else {
      try state.noteSent(row, external: external)
    }
    breakCounts[row.id] = nil
    try works()
    if let pause { try wait(for: pause) }
    if row.sentCount >= Self.quickCount {
      let seconds = 1 << min(row.sentCount - Self.quickCount, 10)
      resting[row.id] = .now + min(.seconds(seconds), Self.slowest)
    }
    log.report(
      .statusSent,
      [
        "host": "\(group.name)", "context": "\(item.key.context)",
        "revision": "\(item.key.revision.abbreviated)", "state": "\(item.state.rawValue)",
      ])
  }

  private mutating func works() throws {
    backoff.reset()
    refusedToken = nil
    if try hosts.note(group.server, failure: nil) {
      log.report(.statusResumed, ["host": "\(group.name)"])
    }
  }

  /// Nothing is told to this host for a while.
  private mutating func pause(
    for error: any OperatorError, _ asked: Duration?, at row: StatusRow
  ) throws {
    let pause = max(asked ?? .zero, backoff.next())
    pausedUntil = .now + pause
    if asked != nil { try wait(for: pause) }
    let count = breakCounts[row.id, default: 0]
    breakCounts[row.id] = count + 1
    resting[row.id] = pausedUntil + .seconds(1 << min(count, 8))
    if case ReportingError.limited = error {
      report(.statusDelayed, error, pause)
      return
    }
    if try hosts.note(group.server, failure: error.message) { report(.statusDelayed, error, pause) }
  }

  /// This line alone is told later, or not at all.
  private mutating func refuse(_ row: StatusRow, _ error: ReportingError) throws {
    let isLast = row.failureCount + 1 >= Self.attemptCountMax
    try state.noteRefused(row, error.message, isLast: isLast)
    var line = Backoff(
      first: Self.lineBackoff.first, longest: Self.lineBackoff.longest, jitter: Backoff.random)
    var pause = line.next()
    for _ in 0..<row.failureCount { pause = line.next() }
    resting[row.id] = .now + pause
    guard isLast || row.failureCount == 0 else { return }
    report(isLast ? .statusLost : .statusRefused, error, pause, row)
  }

  private func report(
    _ event: Event, _ error: any OperatorError, _ pause: Duration, _ row: StatusRow? = nil
  ) {
    var fields: Logger.Metadata = [
      "host": "\(group.name)", "error": "\(error.message)", "code": "\(error.code.rawValue)",
    ]
    if event != .statusLost { fields["seconds"] = .number(pause.components.seconds) }
    if let hint = error.hint { fields["hint"] = "\(hint)" }
    if let item = row?.item {
      fields["context"] = "\(item.key.context)"
      fields["revision"] = "\(item.key.revision.abbreviated)"
    }
    log.report(event, fields)
  }
}
