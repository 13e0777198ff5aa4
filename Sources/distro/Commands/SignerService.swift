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
  private static let retry: Duration = .seconds(10)

  private let settings: SignerSettings
  private let outbox: Outbox
  private let delivery: Delivery
  private let log: Logger
  private let bell: DispatchSemaphore
  private let healerBell: DispatchSemaphore
  private let healerEnd = DispatchSemaphore(value: 0)
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
    let healerBell = DispatchSemaphore(value: 0)
    (self.bell, self.healerBell, hasNews) = (bell, healerBell, news)
    delivery = Delivery(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: log, now: Clock.now
    ) {
      news.raise()
      healerBell.signal()
    }
    let recipients = Set(settings.repositories.flatMap(\.recipients).map(\.mailbox))
    try delivery.start(for: recipients)
  }

  func run() async throws {
    try await runBlockingLoop(work) {
      isStopping.withLock { $0 = true }
      bell.signal()
      healerBell.signal()
    }
    delivery.stop()
    claim.withLock { $0 = nil }
  }

  /// Everything is in the outbox, or not yet made.
  func abandon() throws {}

  var delay: Duration { delivery.delay }

  private func work() {
    let healer = Thread { [self] in
      heal()
      healerEnd.signal()
    }
    healer.stackSize = 8 << 20
    healer.start()
    var daemon = makeDaemon()
    var next = ContinuousClock.now
    while !isStopping.withLock({ $0 }) {
      if next <= .now { next = .now + step(&daemon) }
      delivery.outboxChanged()
      _ = bell.wait(timeout: .now() + .nanoseconds(Int(Self.turn / .nanoseconds(1))))
    }
    healerEnd.wait()
  }

  private func makeDaemon() -> SignerDaemon {
    SignerDaemon(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, now: Clock.now)
  }

  /// Until it is told to stop; a pack that takes long is waited for.
  private func heal() {
    let daemon = makeDaemon()
    var next = ContinuousClock.now
    while !isStopping.withLock({ $0 }) {
      if hasNews.take() || next <= .now { next = .now + heal(daemon) }
      _ = healerBell.wait(timeout: .now() + .nanoseconds(Int(Self.turn / .nanoseconds(1))))
    }
  }

  private func step(_ daemon: inout SignerDaemon) -> Duration {
    do {
      return .milliseconds(try daemon.step())
    } catch {
      log.report(.fault, ErrorReport(error).metadata)
      return Self.retry
    }
  }

  private func heal(_ daemon: SignerDaemon) -> Duration {
    do {
      let pass = try daemon.heal()
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
      if !pass.sent.isEmpty { bell.signal() }
      for failure in pass.failures {
        log.report(
          .healingFailed,
          ["recipient": "\(failure.recipient)"].merging(ErrorReport(failure.error).metadata) { $1 })
      }
      return .milliseconds(daemon.rest(after: pass))
    } catch {
      log.report(.fault, ErrorReport(error).metadata)
      return Self.retry
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
