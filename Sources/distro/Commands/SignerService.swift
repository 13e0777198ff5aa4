import Diagnostics
import Dispatch
import Foundation
import Logging
import Mailboxes
import MessageFormat
import ServiceLifecycle
import Signer
import Synchronization

/// The signer as a daemon: hands over what any run puts into the outbox, takes receipts in, heals, and sends heartbeats.
final class SignerService: RoleService {
  /// Other processes fill the outbox: looked at so often.
  private static let turn: Duration = .seconds(1)
  /// After a fault of the machine's, a full disk for one.
  private static let retryMilliseconds: UInt64 = 10_000

  private let settings: SignerSettings
  private let outbox: Outbox
  private let delivery: Delivery
  private let log: Logger
  private let bell: DispatchSemaphore
  private let isStopping = Mutex(false)
  /// Runs of `sign-and-send` use the same state; another daemon must not.
  private let claim: Mutex<StateClaim?>
  /// Receipts came in since the last step.
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
    let (bell, news) = (DispatchSemaphore(value: 0), NewsFlag())
    (self.bell, hasNews) = (bell, news)
    delivery = Delivery(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: log, now: Clock.now
    ) {
      news.raise()
      bell.signal()
    }
    let recipients = Set(settings.repositories.flatMap(\.recipients).map(\.mailbox))
    try delivery.start(for: recipients)
  }

  func run() async throws {
    try await runBlockingLoop(work) {
      isStopping.withLock { $0 = true }
      bell.signal()
    }
    delivery.stop()
    claim.withLock { $0 = nil }
  }

  /// Everything is in the outbox, or not yet made.
  func abandon() throws {}

  var delay: Duration { delivery.delay }

  private func work() {
    let daemon = SignerDaemon(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, now: Clock.now)
    var next = Clock.now()
    while !isStopping.withLock({ $0 }) {
      if hasNews.take() || daemon.isDue(next) { next = step(daemon) }
      delivery.outboxChanged()
      _ = bell.wait(timeout: .now() + .nanoseconds(Int(Self.turn / .nanoseconds(1))))
    }
  }

  private func step(_ daemon: SignerDaemon) -> Timestamp {
    do {
      let step = try daemon.step()
      for sent in step.sent {
        log.report(
          .healing,
          [
            "message": "\(sent.id.abbreviated)", "stream": "\(sent.update.stream)",
            "to": "\(sent.update.after.abbreviated)",
            "from": "\(sent.update.before?.abbreviated ?? "nothing")",
          ])
      }
      for failure in step.failures {
        log.report(
          .healingFailed,
          [
            "machine": "\(failure.machine)", "error": "\(ErrorReport(failure.error).message)",
          ])
      }
      return step.next
    } catch {
      log.report(.fault, ErrorReport(error).metadata)
      return Clock.now().adding(milliseconds: Self.retryMilliseconds)
    }
  }
}

extension Role {
  static func signer(_ path: String) -> Role {
    Role(name: .signer) {
      let settings = try SignerConfiguration.read(path)
      let log = try SignerConfiguration.log(path)
      return RoleStart {
        try SignerService(settings, log: try log.logger(for: .signer))
      }
    }
  }
}
