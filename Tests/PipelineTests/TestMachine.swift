import Applier
import Foundation
import Git
import GitModel
import Host
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import Synchronization
import TestSupport
import Testing

/// The fleet's time, and by how much one machine is ahead of it.
final class MachineClock: Sendable {
  private let fleet: TestClock
  private let aheadMilliseconds = Mutex<UInt64>(0)

  init(_ fleet: TestClock) { self.fleet = fleet }

  var now: Timestamp { fleet.now.adding(milliseconds: aheadMilliseconds.withLock { $0 }) }

  var sinceBoot: BootTime { fleet.sinceBoot }

  var moment: Moment { Moment(wall: now, sinceBoot: sinceBoot) }

  func set(aheadBySeconds seconds: UInt64) { aheadMilliseconds.withLock { $0 = 1_000 * seconds } }
}

/// A private machine: its keys, its state and its checkout.
final class TestMachine {
  let identity: Identity
  let checkout: PipelineRepository
  let settings: ApplierSettings
  private(set) var store: MailboxStore
  /// Its own, which the test may set wrong.
  let clock: MachineClock
  private(set) var worker: Worker
  let log = TestLog()
  /// What its carrier does not let through any more, in either direction.
  var isCutOff = false

  init(
    _ name: String, signers: [Identity], partners: [Identity], clock: TestClock,
    folder: PipelineFolder, onLocalChanges: CheckoutSettings.LocalChanges,
    onGoingBack: CheckoutSettings.GoingBack, staleAfterSeconds: UInt64?
  ) throws {
    identity = Identity(generating: try IdentityName(name))
    checkout = PipelineRepository(at: folder.path(name + "-live"), in: folder)
    let main = try #require(BranchName("main"))
    let first = try #require(signers.first)
    settings = ApplierSettings(
      identity: identity, state: folder.path(name),
      trustedSigners: (signers + partners).map(\.public),
      checkouts: [
        CheckoutSettings(
          stream: StreamName(remote: Pipeline.remote, branch: main), path: checkout.path,
          onLocalChanges: onLocalChanges, onGoingBack: onGoingBack, unusualPaths: .refuse,
          symbolicLinks: .inside,
          signers: Set(([first] + partners).map(\.public.mailbox)),
          staleAfterSeconds: staleAfterSeconds)
      ], deadline: .seconds(300), metrics: folder.path(name + ".prom"))
    self.clock = MachineClock(clock)
    store = try Self.store(settings, self.clock)
    worker = Self.worker(settings, store, self.clock, log)
  }

  private static func store(
    _ settings: ApplierSettings, _ clock: MachineClock
  ) throws -> MailboxStore {
    try MailboxStore(
      state: StateDatabase.applier(directory: settings.state), sinceBoot: { clock.sinceBoot })
  }

  private static func worker(
    _ settings: ApplierSettings, _ store: MailboxStore, _ clock: MachineClock, _ log: TestLog
  ) -> Worker {
    Worker(
      settings, store: store, log: log.logger, now: { clock.now },
      sinceBoot: { clock.sinceBoot }, onAnswer: {})
  }

  var mailbox: Mailbox { identity.public.mailbox }

  /// Until nothing is left to do, or so many steps.
  func work(stepCountMax: Int = .max) throws {
    var count = 0
    while count < stepCountMax, case .progress = try worker.handleNext() { count += 1 }
  }

  /// The whole state is gone, or another one.
  func replaceState(_ body: (String) throws -> Void) throws {
    try store.state.queue.close()
    try body(settings.state)
    store = try Self.store(settings, clock)
    worker = Self.worker(settings, store, clock, log)
  }

  func status() throws -> CheckoutStatus {
    try #require(try ApplierStatus(settings, store: store, now: clock.moment).checkouts.first)
  }
}
