import Diagnostics
import Host
import Logging
import Mailboxes
import MessageFormat
import ZeroMQ

/// The event loop of an exchange: connects, sends, receives; the desk decides.
final class ExchangeLoop {
  /// A socket that has served for so long was not at fault: the next one is made without much waiting.
  private static let steadyTime: Duration = .seconds(30)
  /// Events that are looked at before something is sent again, however fast they come.
  private static let eventCountMax = 256
  /// Requests that are sent before answers are looked at again.
  private static let sendCountMax = 64

  private let settings: ExchangeSettings
  /// Longer than a carrier ever is silent on purpose.
  private let silenceMax: Duration
  private let context: Context
  private let handlers: ExchangeHandlers
  private let wakeUp: WakeUp
  private let stopping: StopFlag
  private let pulse: LoopLiveness
  private let log: Logger
  private let desk: MailboxClient
  private var backoff: Backoff
  private var turns: AddressRotation
  private var toldAddresses: Set<String> = []
  private var unsent: Depositing.Step?
  private var lastHeard = ContinuousClock.now
  private var reportedFailure: CarrierError?
  private var hasReportedSize = false
  private var hasReportedFull = false

  init(
    _ settings: ExchangeSettings, in context: Context, handlers: ExchangeHandlers, wakeUp: WakeUp,
    stopping: StopFlag, pulse: LoopLiveness, log: Logger
  ) {
    self.settings = settings
    silenceMax = settings.patience.silence
    self.context = context
    self.handlers = handlers
    self.wakeUp = wakeUp
    self.stopping = stopping
    self.pulse = pulse
    self.log = log
    desk = MailboxClient(settings)
    turns = AddressRotation(settings.endpoint)
    let pauses = settings.patience.pauses
    backoff = Backoff(first: pauses.first, longest: pauses.longest)
  }

  /// Until it is told to stop.
  func run() {
    while !stopping.isSet {
      let begin = ContinuousClock.now
      do {
        try serveConnection()
      } catch let error as CarrierError {
        report(error)
      } catch ExchangeFault.unexpected(let what) {
        report(.unexpectedAnswer(endpoint: turns.description, what))
      } catch {
        report(.faulty(endpoint: turns.description, error))
      }
      desk.interrupted()
      unsent = nil
      if begin + Self.steadyTime <= .now { backoff.reset() }
      if !stopping.isSet && !turns.hasMore { pause(backoff.next()) }
    }
    do throws(MailboxError) {
      try desk.keep()
    } catch {
      log.report(.transferDiscarded, ["error": "\(error)"])
    }
  }

  private func pause(_ duration: Duration) {
    var poller = Poller()
    _ = poller.add(wakeUp)
    let deadline = Deadline.after(duration)
    while !stopping.isSet && !deadline.isPast {
      do {
        try poller.wait(until: deadline, pulse)
      } catch {
        return
      }
      takeNews()
    }
  }

  private func takeNews() {
    if wakeUp.clear() { desk.outgoingChanged() }
  }

  /// Until the socket has to be made anew, or it is told to stop.
  private func serveConnection() throws {
    let connection = try CarrierConnection(
      settings, at: turns.next(), in: context, wakeUp: wakeUp)
    handlers.stateChanged(.connecting)
    lastHeard = .now
    while !stopping.isSet {
      takeNews()
      let hasMore = try send(over: connection)
      try connection.wait(
        until: nextTurn(hasMore: hasMore), untilWritable: unsent != nil, pulse)
      for _ in 0..<Self.eventCountMax {
        guard let event = try connection.next() else { break }
        pulse.beat()
        try handle(event, failure: connection.failure)
        if stopping.isSet { break }
      }
      noteFailure(connection.failure)
      guard silenceEnd > .now else { throw silence(connection.failure) }
    }
    // What was accepted need not come again.
    for step in desk.farewell where unsent == nil {
      guard try connection.send(step) else { return }
    }
  }

  /// What the desk does at a time of its own waits while the line takes nothing.
  private func nextTurn(hasMore: Bool) -> Deadline {
    guard !hasMore else { return .now }
    let silence = Deadline.at(silenceEnd)
    guard unsent == nil, let attempt = desk.nextAttempt else { return silence }
    return .earlier(silence, .at(attempt))
  }

  private var silenceEnd: ContinuousClock.Instant {
    let end = lastHeard + silenceMax
    return desk.overdue.map { min($0, end) } ?? end
  }

  /// Whether there is more to send at once.
  private func send(over connection: CarrierConnection) throws -> Bool {
    defer { for fault in desk.takeFaults() { report(fault) } }
    for _ in 0..<Self.sendCountMax {
      pulse.beat()
      let next: Depositing.Step? =
        if let step = unsent.take() { step } else { try desk.next(at: .now) }
      guard let step = next else { return false }
      guard try connection.send(step) else {
        unsent = step
        return false
      }
    }
    return true
  }

  private func handle(
    _ event: CarrierConnection.Event, failure: CarrierError.UnreachedReason
  ) throws {
    switch event {
    case .connected:
      lastHeard = .now
      desk.connected(at: .now)
      reportConnected()
    case .interrupted:
      unsent = nil
      desk.interrupted()
      handlers.stateChanged(.connecting)
    case .turnedAway:
      throw CarrierError.notReached(endpoint: turns.description, reason: failure)
    case .reply(let reply, let chunk):
      if let effect = try desk.handle(reply, chunk: chunk, at: .now) { try perform(effect) }
      // After our disk, however long that took: its time is none of the carrier's silence.
      lastHeard = .now
    }
  }

  private func perform(_ effect: MailboxClient.Effect) throws {
    switch effect {
    case .accept(let messages): accept(messages)
    case .unkept(let what): postpone(what)
    case .full(let what):
      reportFull(what)
      desk.postpone(at: .now)
    case .noRoom(let size, let what):
      log.report(
        .noSpace,
        [
          "bytes": .number(size.byteCount), "carrier": "\(settings.endpoint)", "detail": "\(what)",
        ])
    case .stored(let outgoing): try handlers.stored(outgoing)
    case .refused(let refusal): report(refusal)
    case .tooLarge(let size):
      guard !hasReportedSize else { return }
      hasReportedSize = true
      log.report(
        .messageTooLarge,
        ["bytes": .number(size.byteCount), "carrier": "\(settings.endpoint)"])
    case .moved(let done, let total): handlers.moved(done, total)
    }
  }

  private func accept(_ messages: [Collecting.Whole]) {
    do {
      try handlers.accept(messages.map(\.message))
      desk.accepted(messages, at: .now)
      hasReportedFull = false
    } catch {
      postpone("\(error)")
    }
  }

  private func postpone(_ what: String) {
    log.report(
      .storeFailed, ["error": "\(what)", "carrier": "\(settings.endpoint)"])
    desk.postpone(at: .now)
  }
}

// MARK: - What is told

extension ExchangeLoop {
  private func silence(_ failure: CarrierError.UnreachedReason) -> CarrierError {
    desk.isConnected
      ? .noAnswer(endpoint: turns.description)
      : .notReached(endpoint: turns.description, reason: failure)
  }

  /// libzmq goes on trying by itself; whoever waits should know why it takes so long.
  private func noteFailure(_ reason: CarrierError.UnreachedReason) {
    guard !desk.isConnected, reason != .unknown else { return }
    report(.notReached(endpoint: turns.description, reason: reason))
  }

  private func reportConnected() {
    (reportedFailure, hasReportedSize, toldAddresses) = (nil, false, [])
    turns.connected()
    log.report(.carrierConnected, ["carrier": "\(settings.endpoint)"])
    handlers.stateChanged(.connected)
  }

  /// Each failure once, until there was a connection.
  private func report(_ error: CarrierError) {
    guard !turns.hasMore else { return reportAddress(error) }
    guard reportedFailure?.description != error.description else { return }
    reportedFailure = error
    handlers.stateChanged(.failed(error))
    log.report(
      .carrierUnreachable, ["carrier": "\(error.endpoint)", "error": "\(error.reason)"])
  }

  /// Once, until something was accepted.
  private func reportFull(_ what: String) {
    guard !hasReportedFull else { return }
    hasReportedFull = true
    log.report(
      .inboxFull, ["carrier": "\(settings.endpoint)", "detail": "\(what)"])
  }

  /// It is no failure before all addresses have had their turn.
  private func reportAddress(_ error: CarrierError) {
    guard toldAddresses.insert(error.description).inserted else { return }
    log.report(
      .addressUnreachable, ["carrier": "\(error.endpoint)", "error": "\(error.reason)"])
  }

  private func report(_ fault: Depositing.Fault) {
    log.report(
      fault.error.isLoss ? .messageLost : .messageUnreadable,
      ["message": "\(fault.message.abbreviated)", "error": "\(fault.error)"])
  }

  private func report(_ refusal: Depositing.Refusal) {
    log.report(
      .depositRefused,
      [
        "message": "\(refusal.message.id.abbreviated)",
        "mailbox": "\(refusal.mailbox.abbreviated)", "reason": "\(refusal.reason.rawValue)",
        "detail": "\(refusal.detail)",
      ])
    handlers.refused(
      ExchangeRefusal(
        message: refusal.message.id, mailbox: refusal.mailbox, reason: refusal.reason,
        detail: refusal.detail))
  }
}
