import Applier
import Carriers
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Sealing
import ServiceLifecycle
import Sodium
import Synchronization
import ZeroMQ

/// The listener that takes messages in, and the worker that handles them, each on a thread of its own.
final class ApplierService: RoleService {
  /// After a fault of the machine's, a full disk for one.
  private static let retryIntervals: [DispatchTimeInterval] = [1, 2, 5, 10, 30].map { .seconds($0) }

  let endpoint: String
  private let settings: ApplierSettings
  private let store: MailboxStore
  private let log: Logger
  private let listener: CarrierListener
  private let bell: DispatchSemaphore
  private let isStopping = Mutex(false)

  init(_ configuration: ApplierConfiguration, store: MailboxStore, log: Logger) throws {
    settings = configuration.settings
    self.store = store
    self.log = log
    let identity = settings.identity
    let ours = identity.public.mailbox
    let signers = Set(settings.trustedSigners.map(\.mailbox))
    let access = CarrierAccess(
      depositors: [ours: signers],
      byteCountMax: UInt64(Limits.chunkCountMax) * UInt64(Limits.chunkByteCountMax))
    let peers = try Dictionary(
      settings.trustedSigners.map { (try CurvePublicKey($0.transportKey.bytes), $0.mailbox) }
    ) { first, _ in first }
    let bell = DispatchSemaphore(value: 0)
    self.bell = bell
    listener = try CarrierListener(
      on: configuration.endpoint, as: TransportIdentity(identity), for: peers,
      desk: CarrierDesk(store: store, access: access, now: Clock.now), log: log,
      onDeposit: { bell.signal() },
      onFailure: {
        log.critical("nothing can be received any more; ending")
        // The service manager starts the program again.
        _exit(ExitStatus.fault.rawValue)
      })
    endpoint = listener.endpoint
  }

  func run() async throws {
    let (end, ending) = AsyncStream<Never>.makeStream()
    let thread = Thread { [self] in
      work()
      ending.finish()
    }
    thread.stackSize = 8 << 20
    thread.start()
    try await gracefulShutdown()
    isStopping.withLock { $0 = true }
    bell.signal()
    for await _ in end {}
    listener.stop()
  }

  func abandon() throws { try Inbox.excuseAttempts(in: store) }

  private func wait(until end: ContinuousClock.Instant?) {
    guard let end else { return bell.wait() }
    let rest = max(.zero, end - .now)
    _ = bell.wait(timeout: .now() + .milliseconds(Int(rest / .milliseconds(1)) + 1))
  }

  private func work() {
    let worker = Worker(
      settings, store: store, log: log, now: Clock.now,
      onAnswer: { [listener] in listener.mailboxesChanged() })
    var failures = 0
    while !isStopping.withLock({ $0 }) {
      do {
        if case .idle(let end) = try worker.handleNext() { wait(until: end) }
        failures = 0
      } catch {
        log.error("a fault of this machine; trying again", metadata: ["error": "\(error)"])
        let interval = Self.retryIntervals[min(failures, Self.retryIntervals.count - 1)]
        failures += 1
        _ = bell.wait(timeout: .now() + interval)
      }
    }
  }
}

extension TransportIdentity {
  init(_ identity: Identity) throws {
    self.init(publicKey: try CurvePublicKey(identity.public.transportKey.bytes)) { borrower in
      try identity.withTransportSecret(borrower)
    }
  }
}

extension Role {
  /// `path`: of its configuration.
  static func applier(_ path: String) -> Role {
    Role(name: "applier") {
      let configuration = try ApplierConfiguration.read(path)
      return RoleStart {
        let log = try configuration.log.logger(label: "distro.verify-apply")
        let state = try StateDatabase.applier(directory: configuration.settings.state)
        let service = try ApplierService(
          configuration, store: MailboxStore(state: state), log: log)
        log.notice("listening", metadata: ["endpoint": "\(service.endpoint)"])
        return service
      }
    }
  }
}
