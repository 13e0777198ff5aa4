import Diagnostics
import Foundation
package import Host
package import Logging
package import MessageFormat
import Synchronization

/// The signer's socket: takes requests to send from programs of this machine, each on a thread of its own, and hands them
/// to a `PushIntake`. The rights of the socket's file decide which programs may; what they say is a hint.
package final class IntakeServer: Sendable {
  /// What is more waits in the kernel's queue.
  package static let visitCountMax = 128
  /// Those that wait are told so often that we live; and the socket's file is looked at.
  private static let pulse: Duration = .seconds(5)

  private struct State {
    var listener: LocalListener?
    var visits: [ObjectIdentifier: IntakeVisit] = [:]
    var isStopping = false
    var inherits: ListenerHandOver?
    var hasReported = false
  }

  private let settings: SignerSettings
  private let outbox: Outbox
  private let delivery: Delivery
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  private let turns: StreamTurns
  private let mirrors: Mirrors
  private let limiter = RateLimiter(burst: 20)
  private let liveness = LoopLiveness()
  private let bell = Bell()
  private let state: Mutex<State>

  /// Listens when it returns, or will as soon as the file system lets it; throws where another process listens there, or
  /// the place can be no socket's. `handed`: the socket of the role that ran before.
  package init(
    _ settings: SignerSettings, outbox: Outbox, delivery: Delivery,
    turns: StreamTurns = StreamTurns(), mirrors: Mirrors = Mirrors(),
    handed: LocalListener? = nil, log: Logger, now: @escaping @Sendable () -> Timestamp
  ) throws(HostError) {
    (self.settings, self.outbox, self.delivery) = (settings, outbox, delivery)
    (self.turns, self.mirrors, self.log, self.now) = (turns, mirrors, log, now)
    liveness.end()
    state = Mutex(State())
    do throws(HostError) {
      try open(handed)
    } catch {
      // A disk that is full must not keep the signer from its work.
      guard error.isShortage else { throw error }
      report(error)
    }
  }

  /// How late the loop is with its next turn.
  package var delay: Duration { liveness.delay }

  /// The next role of this process gets the socket, with those that wait in its queue.
  package func handOver(to next: ListenerHandOver) { state.withLock { $0.inherits = next } }

  /// Returns when all visits have ended, after `stop`.
  package func run() {
    while !isStopping {
      liveness.rest(for: Self.pulse)
      turn()
      liveness.beat()
    }
    liveness.end()
    close()
    while !state.withLock({ $0.visits.isEmpty }) { bell.wait(for: .seconds(1)) }
  }

  /// What is being packed is finished; who only waits is sent away, and asks again. From any thread.
  package func stop() {
    let (listener, visits) = state.withLock { state in
      state.isStopping = true
      return (state.listener, Array(state.visits.values))
    }
    listener?.wake()
    for visit in visits { visit.end() }
    delivery.wakeWaiting()
    bell.ring()
  }

  private var isStopping: Bool { state.withLock { $0.isStopping } }

  // MARK: - The socket

  private func open(_ handed: LocalListener? = nil) throws(HostError) {
    let place = settings.socket
    let listener: LocalListener
    if let handed, handed.path == place.path, try handed.isInPlace {
      try handed.setRights(group: place.group, mode: place.mode)
      listener = handed
    } else {
      try handed?.remove()
      listener = try LocalListener(at: place.path, group: place.group, mode: place.mode)
    }
    state.withLock { ($0.listener, $0.hasReported) = (listener, false) }
    log.report(.takingRequests, ["socket": "\(place.path)"])
  }

  private func close() {
    let (listener, next) = state.withLock { state in
      defer { state.listener = nil }
      return (state.listener, state.inherits)
    }
    guard let listener else { return }
    if let next { return next.put(listener) }
    do throws(HostError) {
      try listener.remove()
    } catch {
      report(error)
    }
  }

  private func turn() {
    let (listener, isFull) = state.withLock {
      ($0.listener, $0.visits.count >= Self.visitCountMax)
    }
    let end = ContinuousClock.now + Self.pulse
    do throws(HostError) {
      guard let listener else {
        bell.wait(until: end)
        return try open()
      }
      if let socket = try listener.accept(by: end, takes: !isFull) { return admit(socket) }
      if .now >= end { try look(at: listener) }
    } catch {
      report(error)
      // Descriptors are short, for example: the loop must not spin.
      bell.wait(for: .seconds(1))
    }
  }

  /// Once, until it listens again.
  private func report(_ error: HostError) {
    let isNews = state.withLock { state in
      defer { state.hasReported = true }
      return !state.hasReported
    }
    guard isNews else { return }
    log.report(
      .socketFailed,
      [
        "error": "\(error.message)", "code": "\(error.code.rawValue)",
        "hint": "\(error.hint ?? "")",
      ])
  }

  private func look(at listener: LocalListener) throws(HostError) {
    for visit in state.withLock({ Array($0.visits.values) }) { visit.sayIfIdle(IntakeAnswer()) }
    guard try !listener.isInPlace else { return }
    // Its lock is given back before the next one takes it.
    state.withLock { $0.listener = nil }
  }

  // MARK: - Visits

  private func admit(_ socket: LocalSocket) {
    let visit = IntakeVisit(socket)
    let isTaken = state.withLock { state in
      guard !state.isStopping else { return false }
      state.visits[ObjectIdentifier(visit)] = visit
      return true
    }
    guard isTaken else { return }
    let thread = Thread { [self] in
      receive(visit)
      let listener = state.withLock { state in
        state.visits[ObjectIdentifier(visit)] = nil
        return state.listener
      }
      listener?.wake()
      bell.ring()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  private func receive(_ visit: IntakeVisit) {
    do {
      visit.say(IntakeAnswer(hello: IntakeQuestion.version))
      let request = try visit.request()
      let result = try handle(request, of: visit)
      // Cut short: it asks again.
      guard !isStopping else { return }
      visit.say(IntakeAnswer(result: result))
      log.report(
        .requestHandled,
        [
          "user": .number(visit.user ?? .max), "repository": "\(request.repository)",
          "verdict": "\(result.verdict.rawValue)",
        ])
    } catch {
      guard !isStopping else { return }
      visit.say(IntakeAnswer(refusal: IntakeRefusal(error)))
      report(error, of: visit)
    }
    visit.finish()
  }

  private func handle(_ request: PushRequest, of visit: IntakeVisit) throws -> IntakeResult {
    let intake = PushIntake(
      settings, outbox: outbox, courier: .daemon(delivery), turns: turns,
      mirrors: mirrors, now: now,
      progress: SendProgress { step, done, total in
        visit.sayIfIdle(
          IntakeAnswer(report: .progress(step: step, done: done, total: total)))
      },
      isAwaited: { [self] in !isStopping && !visit.isGone }
    ) { report in
      visit.say(IntakeAnswer(report: report))
      // Many machines: as fast as they are read. Nothing else is told while others wait for us.
      if case .arrival = report { visit.ease() }
    }
    defer {
      report(intake.ignoredRefs, in: request.repository)
      log.report(intake.newSubmodules)
    }
    return try intake.handle(request)
  }

  private func report(_ ignoredRefs: [String], in repository: String) {
    guard let first = ignoredRefs.first, let others = limiter.take() else { return }
    log.report(
      .referenceIgnored,
      [
        "repository": "\(repository)", "reference": "\(first)",
        "count": .number(ignoredRefs.count), "others": .number(others),
      ])
  }

  private func report(_ error: any Error, of visit: IntakeVisit) {
    // One that came and went has asked for nothing.
    if case .ended? = error as? IntakeError { return }
    guard let others = limiter.take() else { return }
    let refusal = IntakeRefusal(error)
    log.report(
      .requestRejected,
      [
        "user": .number(visit.user ?? .max), "error": "\(refusal.message)",
        "code": "\(refusal.code)", "others": .number(others),
      ])
  }
}

/// What one role leaves to the next one of the same process, so that no program finds the socket gone meanwhile.
package final class ListenerHandOver: Sendable {
  private let listener = Mutex<LocalListener?>(nil)

  package init() {}

  package func take() -> LocalListener? {
    listener.withLock { listener in
      defer { listener = nil }
      return listener
    }
  }

  func put(_ next: LocalListener) { listener.withLock { $0 = next } }
}
