import Applier
import Diagnostics
import Foundation
import Logging
import Mailboxes
import ServiceLifecycle
import Synchronization

/// The intake of messages, and the worker that handles them, each on a thread of its own.
final class ApplierService: RoleService {
  /// After a fault of the machine's, a full disk for one.
  private static let retryIntervals: [DispatchTimeInterval] = [1, 2, 5, 10, 30].map { .seconds($0) }

  private let settings: ApplierSettings
  private let store: MailboxStore
  private let log: Logger
  private let intake: Intake
  private let bell: DispatchSemaphore
  private let isStopping = Mutex(false)
  private let claim: Mutex<StateClaim?>

  init(_ configuration: ApplierConfiguration, store: MailboxStore, log: Logger) throws {
    settings = configuration.settings
    self.store = store
    self.log = log
    claim = Mutex(try store.state.claim())
    let bell = DispatchSemaphore(value: 0)
    self.bell = bell
    intake = try Intake(
      configuration.carrier, for: configuration.settings, into: store, log: log,
      onMessage: { bell.signal() })
  }

  func run() async throws {
    try await runBlockingLoop(work) {
      isStopping.withLock { $0 = true }
      bell.signal()
    }
    intake.stop()
    claim.withLock { $0 = nil }
  }

  func abandon() throws { try Inbox.excuseAttempts(in: store) }

  var delay: Duration { intake.delay }

  private func wait(until end: ContinuousClock.Instant?) {
    guard let end else { return bell.wait() }
    let rest = max(.zero, end - .now)
    _ = bell.wait(timeout: .now() + .milliseconds(Int(rest / .milliseconds(1)) + 1))
  }

  private func work() {
    let worker = Worker(
      settings, store: store, log: log, now: Clock.now,
      onAnswer: { [intake] in intake.receiptsChanged() })
    var failures = 0
    while !isStopping.withLock({ $0 }) {
      do {
        if case .idle(let end) = try worker.handleNext() { wait(until: end) }
        failures = 0
      } catch {
        log.report(.fault, ErrorReport(error).metadata)
        let interval = Self.retryIntervals[min(failures, Self.retryIntervals.count - 1)]
        failures += 1
        _ = bell.wait(timeout: .now() + interval)
      }
    }
  }
}

extension Role {
  /// `path`: of its configuration.
  static func applier(_ path: String) -> Role {
    Role(name: .applier) {
      let configuration = try ApplierConfiguration.read(path)
      return RoleStart {
        let log = try configuration.log.logger(for: .applier)
        let state = try StateDatabase.applier(directory: configuration.settings.state)
        return try ApplierService(configuration, store: MailboxStore(state: state), log: log)
      }
    }
  }
}
