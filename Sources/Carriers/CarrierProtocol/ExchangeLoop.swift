package import Host
import Logging
import Mailboxes
import MessageFormat

/// A role's traffic over one link, both ways at once: what waits here for others goes there, what waits there for us comes
/// here. Nothing leaves either disk before it is on the other. `MailboxClient` decides what is said.
///
/// Goes on where it was when the connection breaks, also within a message. A peer that is silent, gone, moved or says no is
/// tried again for ever, with pauses.
package final class ExchangeLoop<Link: CarrierLink> {
  /// A connection that has served for so long was not at fault: the next one is made without much waiting.
  private let steadyTime: Duration = .seconds(30)
  /// Events that are looked at before something is sent again, however fast they come.
  private let eventCountMax = 256
  /// Requests that are sent before replies are looked at again.
  private let sendCountMax = 64

  private let link: Link
  private let port: CarrierPort
  /// Longer than a peer ever is silent on purpose.
  private let silenceMax: Duration
  private let stopping: StopFlag
  private let liveness: LoopLiveness
  private let client: MailboxClient
  private let reports: ExchangeReports
  private var backoff: Backoff
  private var unsent: Depositing.Step?
  private var lastHeard = ContinuousClock.now

  /// `place`: the carrier's, for reports.
  package init(
    _ link: Link, to place: String, _ port: CarrierPort, _ timeouts: ExchangeTimeouts,
    stopping: StopFlag, liveness: LoopLiveness
  ) {
    self.link = link
    self.port = port
    self.stopping = stopping
    self.liveness = liveness
    silenceMax = timeouts.silence
    client = MailboxClient(port, timeouts)
    reports = ExchangeReports(port, place: place)
    backoff = Backoff(
      first: timeouts.pauses.first, longest: timeouts.pauses.longest, jitter: timeouts.jitter)
  }

  /// Until it is told to stop.
  package func run() {
    while !stopping.isSet {
      let begin = ContinuousClock.now
      do {
        try serveConnection()
      } catch let error as CarrierError {
        report(error)
      } catch ExchangeFault.unexpected(let what) {
        report(.unexpectedAnswer(endpoint: link.place, what))
      } catch {
        report(.faulty(endpoint: link.place, error))
      }
      client.interrupted()
      unsent = nil
      link.disconnect()
      if begin + steadyTime <= .now { backoff.reset() }
      if !stopping.isSet && !link.hasMoreAddresses { pause(backoff.next()) }
    }
    do throws(MailboxError) {
      try client.keep()
    } catch {
      reports.notKept(error)
    }
  }

  private func pause(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while !stopping.isSet && end > .now {
      do { try link.wait(until: end, untilWritable: false) } catch { return }
      takeNews()
    }
  }

  private func takeNews() {
    if link.takeWakeUp() { client.outgoingChanged() }
  }

  /// Until the connection has to be made anew, or the loop is told to stop.
  private func serveConnection() throws {
    try link.connect()
    port.stateChanged(.connecting)
    lastHeard = .now
    while !stopping.isSet {
      takeNews()
      let hasMore = try send()
      try link.wait(until: nextTurn(hasMore: hasMore), untilWritable: unsent != nil)
      for _ in 0..<eventCountMax {
        guard let event = try link.next() else { break }
        liveness.beat()
        try handle(event)
        if stopping.isSet { break }
      }
      noteFailure()
      guard silenceEnd > .now else { throw silence }
    }
    // What was accepted need not come again.
    for step in client.farewell where unsent == nil {
      guard try link.send(step.request, chunk: step.chunk) else { return }
    }
  }

  /// What the client does at a time of its own waits while the line takes nothing.
  private func nextTurn(hasMore: Bool) -> ContinuousClock.Instant {
    guard !hasMore else { return .now }
    guard unsent == nil, let attempt = client.nextAttempt else { return silenceEnd }
    return min(silenceEnd, attempt)
  }

  private var silenceEnd: ContinuousClock.Instant {
    let end = lastHeard + silenceMax
    return client.overdue.map { min($0, end) } ?? end
  }

  /// Whether there is more to send at once.
  private func send() throws -> Bool {
    defer { for fault in client.takeFaults() { reports.unreadable(fault) } }
    for _ in 0..<sendCountMax {
      liveness.beat()
      let next: Depositing.Step? =
        if let step = unsent.take() { step } else { try client.next(at: .now) }
      guard let step = next else { return false }
      guard try link.send(step.request, chunk: step.chunk) else {
        unsent = step
        return false
      }
    }
    return true
  }

  private func handle(_ event: LinkEvent) throws {
    switch event {
    case .connected:
      lastHeard = .now
      client.connected(at: .now)
      reports.connected()
    case .interrupted:
      unsent = nil
      client.interrupted()
      port.stateChanged(.connecting)
    case .turnedAway:
      throw CarrierError.notReached(endpoint: link.place, reason: link.failure)
    case .reply(let reply, let chunk):
      if let effect = try client.handle(reply, chunk: chunk, at: .now) { try perform(effect) }
      // After our disk, however long that took: its time does not count as the peer's silence.
      lastHeard = .now
    }
  }

  private func perform(_ effect: MailboxClient.Effect) throws {
    switch effect {
    case .accept(let messages): accept(messages)
    case .unkept(let what): postpone(what)
    case .full(let what):
      reports.full(what)
      client.postpone(at: .now)
    case .noRoom(let size, let what): reports.noRoom(size, what)
    case .stored(let outgoing): try port.delivered([outgoing])
    case .refused(let refusals): for refusal in refusals { reports.refused(refusal) }
    case .tooLarge(let size): reports.tooLarge(size)
    case .empty: port.emptied()
    case .moved(let mailboxes, let done, let total): port.moved(mailboxes, done, total)
    }
  }

  private func accept(_ messages: [Collecting.Whole]) {
    do {
      try port.accept(messages.map(\.message))
      client.accepted(messages, at: .now)
      reports.accepted()
    } catch {
      postpone("\(error)")
    }
  }

  private func postpone(_ what: String) {
    reports.notStored(what)
    client.postpone(at: .now)
  }
}

// MARK: - What keeps it from getting on

extension ExchangeLoop {
  private var silence: CarrierError {
    client.isConnected
      ? .noAnswer(endpoint: link.place, within: silenceMax)
      : .notReached(endpoint: link.place, reason: link.failure)
  }

  /// The transport goes on trying by itself; the caller should know why it takes time.
  private func noteFailure() {
    guard !client.isConnected, link.failure != .unknown else { return }
    report(.notReached(endpoint: link.place, reason: link.failure))
  }

  private func report(_ error: CarrierError) {
    reports.failed(error, isLastAddress: !link.hasMoreAddresses)
  }
}
