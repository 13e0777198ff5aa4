import Diagnostics
import Logging
import Mailboxes
import MessageFormat
import ServiceLifecycle
import Signer
import Synchronization

/// The signer as a daemon: hands over what any run puts into the outbox, takes receipts in, heals, and sends heartbeats.
///
/// Healing has a loop of its own, since a pack may take long: heartbeats do not wait for it.
final class SignerService: RoleService {
  /// Other processes fill the outbox: looked at so often.
  private static let turn: Duration = .seconds(1)

  private let settings: SignerSettings
  private let outbox: Outbox
  private let delivery: Delivery
  private let heart: WorkLoop
  private let healer: WorkLoop
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

  /// Connects to the carriers, for as long as it takes, when it returns.
  init(_ settings: SignerSettings, log: Logger) throws {
    self.settings = settings
    self.log = log
    outbox = try Outbox(directory: settings.state)
    claim = Mutex(try outbox.claim())
    let (healer, news) = (WorkLoop(log: log), NewsFlag())
    (heart, self.healer, hasNews) = (WorkLoop(log: log), healer, news)
    delivery = Delivery(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: log, now: Clock.now
    ) {
      news.raise()
      healer.wake()
    }
    let recipients = Set(settings.repositories.flatMap(\.recipients).map(\.mailbox))
    try delivery.start(for: recipients)
  }

  func run() async throws {
    defer {
      delivery.stop()
      claim.withLock { $0 = nil }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.beat() }
      group.addTask { try await self.heal() }
      do {
        while try await group.next() != nil {}
      } catch {
        // The other one ends as well, after its step.
        heart.stop()
        healer.stop()
        throw error
      }
    }
  }

  /// Everything is in the outbox, or not yet made.
  func abandon() throws {}

  var delay: Duration { [delivery.delay, heart.delay, healer.delay].max() ?? .zero }

  private func makeDaemon() -> SignerDaemon {
    SignerDaemon(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, now: Clock.now)
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
