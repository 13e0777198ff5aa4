import Diagnostics
import Host
import Logging
import Mailboxes
import MessageFormat
import Programs
import Reporting
import ServiceLifecycle
import Signer
import Synchronization

/// The signer as a daemon: takes requests to send at its socket, hands over what any run puts into the outbox, takes
/// receipts in, heals, and sends heartbeats.
///
/// Healing has a loop of its own, and each request a thread, since a pack may take long: heartbeats do not wait for it.
final class SignerService: RoleService {
  /// Other processes fill the outbox: looked at so often.
  private static let turn: Duration = .seconds(1)

  private let settings: SignerSettings
  private let outbox: Outbox
  private let delivery: Delivery
  private let intake: IntakeServer
  private let watch: SourceWatch
  private let mirrors: Mirrors
  private let heart: WorkLoop
  private let healer: WorkLoop
  /// `nil`: nobody is to be told of anything.
  private let reporter: Reporter?
  private let log: Logger
  /// Runs of `sign-and-send` use the same state; another daemon must not.
  private let claim: Mutex<StateClaim?>
  /// Receipts came in since the healer's last step.
  private let hasNews: NewsFlag

  /// Whether something came in, for one thread to ask and others to say.
  private final class NewsFlag: Sendable {
    private let value = Mutex(true)

    func raise() { value.withLock { $0 = true } }

    func take() -> Bool {
      value.withLock { value in
        defer { value = false }
        return value
      }
    }
  }

  /// Connects to the carriers, for as long as it takes, and listens when it returns. `handed`: the socket of the service
  /// before this one.
  init(
    _ settings: SignerSettings, _ reporting: ReportingSettings, handed: LocalListener?, log: Logger
  ) throws {
    self.settings = settings
    self.log = log
    outbox = try Outbox(directory: settings.state)
    claim = Mutex(try outbox.claim())
    let (healer, news) = (WorkLoop(log: log), NewsFlag())
    (heart, self.healer, hasNews) = (WorkLoop(log: log), healer, news)
    let reporter =
      reporting.isEmpty
      ? nil
      : try Reporter(
        reporting, signer: settings, outbox: outbox, log: log, now: WallClock.now)
    self.reporter = reporter
    delivery = Delivery(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: log, now: WallClock.now
    ) {
      news.raise()
      healer.wake()
      reporter?.wake()
    }
    let (turns, stop) = (StreamTurns(), try ProgramStop())
    let mirrors = Mirrors(
      stop: stop, onContact: { reporter?.note(upstream: $0, failure: $1) })
    self.mirrors = mirrors
    intake = try IntakeServer(
      settings, outbox: outbox, delivery: delivery, turns: turns, mirrors: mirrors,
      handed: handed, log: log, now: WallClock.now)
    watch = SourceWatch(
      settings, outbox: outbox, delivery: delivery, turns: turns, mirrors: mirrors, stop: stop,
      log: log, now: WallClock.now)
    let recipients = Set(settings.repositories.flatMap(\.recipients).map(\.mailbox))
    try delivery.start(for: recipients)
  }

  /// Leaves the socket to the next service of the process, instead of removing it.
  func handOver(to next: ListenerHandOver) { intake.handOver(to: next) }

  func run() async throws {
    defer {
      delivery.stop()
      reporter?.stop()
      claim.withLock { $0 = nil }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.beat() }
      group.addTask { try await self.heal() }
      group.addTask { try await self.takeRequests() }
      group.addTask { try await self.lookAtSources() }
      do {
        while try await group.next() != nil {}
      } catch {
        // The others end as well, after their step.
        heart.stop()
        healer.stop()
        intake.stop()
        watch.stop()
        throw error
      }
    }
  }

  /// Everything is in the outbox, or not yet made.
  func abandon() throws {}

  var delay: Duration {
    [delivery.delay, heart.delay, healer.delay, intake.delay, watch.delay].max() ?? .zero
  }

  private func makeDaemon() -> SignerDaemon {
    SignerDaemon(
      settings, outbox: outbox, mirrors: mirrors, progress: SendProgress { _, _, _ in }, log: log,
      now: WallClock.now)
  }

  private func requireState() throws { try outbox.requireState() }

  private func beat() async throws {
    try await heart.run(requiring: { try self.requireState() }) { [self] in
      var daemon = makeDaemon()
      var next = ContinuousClock.now
      return {
        if next <= .now { next = .now + .milliseconds(try daemon.step()) }
        self.delivery.outboxChanged()
        return .after(Self.turn)
      }
    }
  }

  private func heal() async throws {
    try await healer.run(requiring: { try self.requireState() }) { [self] in
      let daemon = makeDaemon()
      var next = ContinuousClock.now
      return {
        if self.hasNews.take() || next <= .now {
          let pass = try daemon.heal()
          self.report(pass)
          next = .now + .milliseconds(daemon.rest(after: pass))
        }
        return .after(Self.turn)
      }
    }
  }

  private func takeRequests() async throws {
    try await withGracefulShutdownHandler { [intake] in
      try await runBlocking { intake.run() }
    } onGracefulShutdown: {
      self.intake.stop()
    }
  }

  private func lookAtSources() async throws {
    try await withGracefulShutdownHandler { [watch] in
      try await runBlocking { watch.run() }
    } onGracefulShutdown: {
      self.watch.stop()
    }
  }

  private func report(_ pass: Healing.Pass) {
    for sent in pass.sent {
      log.report(
        .healing,
        [
          "message": "\(sent.id.abbreviated)", "stream": "\(sent.update.stream)",
          "to": "\(sent.update.after.abbreviated)",
          "from": "\(sent.update.before?.abbreviated ?? "nothing")",
          "recipients": .number(sent.recipients.count),
        ])
    }
    if !pass.sent.isEmpty { heart.wake() }
    for failure in pass.failures {
      log.report(
        .healingFailed,
        ["recipient": "\(failure.recipient)"].merging(ErrorReport(failure.error).metadata) { $1 })
    }
  }
}
