import Applier
import Logging
import Mailboxes
import ServiceLifecycle
import Synchronization

/// The intake of messages, and the worker that handles them, each on a thread of its own.
final class ApplierService: RoleService {
  private let settings: ApplierSettings
  private let store: MailboxStore
  private let log: Logger
  private let intake: Intake
  private let loop: WorkLoop
  private let claim: Mutex<StateClaim?>

  init(_ configuration: ApplierConfiguration, store: MailboxStore, log: Logger) throws {
    settings = configuration.settings
    self.store = store
    self.log = log
    claim = Mutex(try store.state.claim())
    let loop = WorkLoop(log: log)
    self.loop = loop
    intake = try Intake(
      configuration.carriers.plans, failover: configuration.carriers.failover,
      for: configuration.settings, into: store, log: log,
      onMessage: { loop.wake() })
  }

  func run() async throws {
    defer {
      intake.stop()
      claim.withLock { $0 = nil }
    }
    try await loop.run(requiring: { [store] in try store.state.requireInPlace() }) { [self] in
      let worker = Worker(
        settings, store: store, log: log, now: WallClock.now,
        onAnswer: { [intake] in intake.receiptsChanged() },
        onCommandEnd: { [loop] in loop.wake() })
      return {
        switch try worker.handleNext() {
        case .progress: .now
        case .idle(let end): end.map { .after($0 - .now) } ?? .whenWoken
        }
      }
    }
  }

  func abandon() throws { try Inbox.excuseAttempts(in: store) }

  var delay: Duration { max(intake.delay, loop.delay) }
}
