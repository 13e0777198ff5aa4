import CarrierProtocol
import Host
import Mailboxes
import MessageFormat

/// A role's traffic by way of a broker, both ways at once. Nothing leaves either disk before it is on the other.
///
/// Goes on where it was when the connection breaks, also within a message; tries again for ever, with pauses.
final class BrokerLoop {
  /// A connection that has served for so long was not at fault.
  private static let steadyTime: Duration = .seconds(30)
  private static let turnMax: Duration = .seconds(5)
  /// What a call of the connection's takes at most, with a broker that does not answer.
  private static let callMax: Duration = .seconds(40)
  private static let sendCountMax = 64
  private static let eventCountMax = 256

  private let broker: any Broker
  private let port: CarrierPort
  private let timeouts: ExchangeTimeouts
  private let stopping: StopFlag
  private let news: BrokerNews
  private let liveness: LoopLiveness
  private let reports: ExchangeReports
  private let receiving: BrokerReceiving
  private var sending: BrokerSending
  private var backoff: Backoff
  /// After a fault of this machine, or where there is no room, our queue is left alone so long.
  private var resumption: ContinuousClock.Instant?
  /// What could not be made durable is to be delivered again.
  private var needsCancel = false
  private var faults: Backoff
  /// A broker that takes nothing is not sent anything so long: it would read nothing else of ours either.
  private var publishing: ContinuousClock.Instant?
  private var blocks: Backoff
  /// When the broker is asked whether our queue is empty; `nil`: it has been said.
  private var look: ContinuousClock.Instant?
  private var looks: Backoff
  private var emptyLookCount = 0

  init(
    _ broker: any Broker, _ port: CarrierPort, _ timeouts: ExchangeTimeouts, stopping: StopFlag,
    news: BrokerNews, liveness: LoopLiveness
  ) {
    (self.broker, self.port, self.timeouts) = (broker, port, timeouts)
    (self.stopping, self.news, self.liveness) = (stopping, news, liveness)
    let pauses = timeouts.pauses
    reports = ExchangeReports(port, place: broker.place)
    receiving = BrokerReceiving(port, reports)
    sending = BrokerSending(port, to: broker.place, timeouts)
    func backoff(_ first: Duration, _ longest: Duration) -> Backoff {
      Backoff(first: first, longest: longest, jitter: timeouts.jitter)
    }
    self.backoff = backoff(pauses.first, pauses.longest)
    faults = backoff(pauses.first, pauses.longest)
    blocks = backoff(.seconds(1), .seconds(60))
    looks = backoff(.milliseconds(20), .seconds(5))
  }

  /// Until it is told to stop.
  func run() {
    while !stopping.isSet {
      let begin = ContinuousClock.now
      do {
        try serveConnection()
      } catch let error as CarrierError {
        reports.failed(error, isLastAddress: true)
      } catch {
        receiving.startAgain()
        reports.failed(.faulty(endpoint: broker.place, error), isLastAddress: true)
      }
      sending.interrupted()
      receiving.interrupted()
      (resumption, needsCancel) = (nil, false)
      if begin + Self.steadyTime <= .now { backoff.reset() }
      if !stopping.isSet { pause(backoff.next()) }
    }
  }

  private func pause(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    liveness.rest(for: duration)
    while !stopping.isSet && end > .now { broker.wait(until: end) }
    liveness.beat()
  }

  /// Until the connection has to be made anew, or the loop is told to stop.
  private func serveConnection() throws {
    port.stateChanged(.connecting)
    liveness.rest(for: Self.callMax)
    let connection = try broker.connect(as: port.mailbox)
    defer { connection.close() }
    reports.connected()
    receiving.disorderEnd = connection.disorderEnd
    try connection.consume(prefetch: BrokerReceiving.windowMax)
    looks.reset()
    look = .now + looks.next()
    while !stopping.isSet {
      liveness.rest(for: Self.callMax)
      if news.take() { sending.changed() }
      let hasMore = try publish(on: connection)
      // While there is more to publish, many messages share a step of our disk.
      if !hasMore || sending.hasManyFinished { try handOver() }
      try receive(from: connection, waiting: !hasMore)
      try settle(with: connection)
      if let end = sending.silenceEnd, end <= .now {
        throw CarrierError.noAnswer(endpoint: broker.place, within: timeouts.progress)
      }
    }
    try handOver()
    keepPartials()
    try answer(on: connection)
  }

  private func handOver() throws { try sending.handOver(port.delivered) }

  private func keepPartials() {
    do throws(MailboxError) {
      try sending.keep()
      try receiving.keep()
    } catch {
      reports.notKept(error)
    }
  }

  // MARK: - Out

  /// Whether there is more to publish at once.
  private func publish(on connection: any BrokerConnection) throws -> Bool {
    defer { for fault in sending.takeFaults() { reports.unreadable(fault) } }
    if let time = publishing, time > .now { return false }
    publishing = nil
    for _ in 0..<Self.sendCountMax {
      guard let step = try sending.next(at: .now) else { return false }
      try connection.publish(
        step.message, into: step.mailbox,
        lifetime: step.message.slot == nil ? nil : slotLifetime)
    }
    return true
  }

  // MARK: - In

  private func receive(from connection: any BrokerConnection, waiting: Bool) throws {
    var end = waiting ? nextTurn : .now
    for _ in 0..<Self.eventCountMax {
      guard let event = try connection.next(until: end) else { return }
      end = .now
      try handle(event)
      if receiving.isFull || stopping.isSet { return }
    }
  }

  private var nextTurn: ContinuousClock.Instant {
    // What is not looked at before something else has ended must not make the loop turn in a circle until then.
    let out = publishing ?? sending.nextAttempt
    let back = resumption ?? look
    return min(.now + Self.turnMax, out ?? .now + Self.turnMax, back ?? .now + Self.turnMax)
  }

  private func handle(_ event: BrokerEvent) throws {
    switch event {
    case .confirmed(let numbers):
      blocks.reset()
      let moved = try sending.confirmed(numbers, at: .now)
      for step in moved { port.moved([step.mailbox], step.done, step.total) }
    case .refused(let numbers, let reason, let detail):
      let refusals = try sending.refused(numbers, reason, detail, at: .now)
      for refusal in refusals { reports.refused(refusal) }
    case .delivery(let tag, let bytes):
      // Of a consumption that has ended.
      guard !needsCancel else { return }
      (look, emptyLookCount) = (nil, 0)
      do {
        try receiving.take(bytes, tag, at: .now)
      } catch is OvertakenDelivery {
        deliverAgain()
      } catch {
        postpone(error)
      }
    case .blocked(let reason):
      publishing = .now + blocks.next()
      throw CarrierError.faulty(endpoint: broker.place, BrokerBlocked(reason: reason))
    }
  }

  /// What has come is made durable, then acknowledged; what could not be is delivered again after a pause.
  private func settle(with connection: any BrokerConnection) throws {
    do {
      try receiving.accept()
      try receiving.clean(at: .now)
    } catch {
      postpone(error)
    }
    if needsCancel {
      needsCancel = false
      try connection.cancel()
      receiving.startAgain()
    }
    try answer(on: connection)
    if receiving.hasDeferred, resumption == nil { resumption = .now + faults.next() }
    if let time = resumption, time <= .now { try resume(on: connection) }
    try lookForMore(on: connection)
  }

  private func postpone(_ error: any Error) {
    reports.notStored("\(error)")
    deliverAgain()
  }

  private func deliverAgain() {
    resumption = .now + faults.next()
    needsCancel = true
  }

  private func resume(on connection: any BrokerConnection) throws {
    guard try receiving.hasRoom() else {
      resumption = .now + faults.next()
      return
    }
    resumption = nil
    if receiving.hasDeferred {
      // What waits for room is delivered again from its beginning, and what is behind it with it.
      try connection.cancel()
      receiving.interrupted()
    }
    try connection.consume(prefetch: BrokerReceiving.windowMax)
  }

  private func answer(on connection: any BrokerConnection) throws {
    let (acknowledged, rejected) = receiving.takeAnswers()
    if !acknowledged.isEmpty {
      try connection.acknowledge(acknowledged)
      // A message that could be stored is a sign of room.
      if !receiving.hasDeferred { faults.reset() }
    }
    if !rejected.isEmpty { try connection.reject(rejected) }
    guard !(acknowledged.isEmpty && rejected.isEmpty) else { return }
    looks.reset()
    look = .now + looks.next()
  }

  private func lookForMore(on connection: any BrokerConnection) throws {
    guard let time = look, time <= .now, resumption == nil else { return }
    let isEmpty = try receiving.isIdle && connection.waitingCount() == 0
    emptyLookCount = isEmpty ? emptyLookCount + 1 : 0
    // What was on its way when it was counted has come by the second time.
    guard emptyLookCount == 2 else {
      look = .now + looks.next()
      return
    }
    (look, emptyLookCount) = (nil, 0)
    port.emptied()
  }
}

/// The broker has said that it takes nothing for now.
struct BrokerBlocked: Error, CustomStringConvertible {
  let reason: String

  var description: String { "the broker takes no messages: \(reason)" }
}

/// A broker has no slots: what has one is forgotten after a day, as the next one says all that it said.
private let slotLifetime: Duration = .seconds(24 * 3_600)
