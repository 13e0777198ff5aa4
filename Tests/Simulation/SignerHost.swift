import CarrierProtocol
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium

/// The public machine: hooks, and the daemon's steps, over one state.
final class SignerHost {
  let settings: SignerSettings
  let clock: HostClock
  let line: any Line
  var isRunning = true
  var writeLimit: UInt64? { didSet { line.writeLimit = writeLimit } }
  /// Called while a message is being sealed: another hook may run at that moment.
  var onSealing: () -> Void = {}
  private(set) var outbox: Outbox
  private let correspondents: Set<Mailbox>
  private var hasNews = true
  private var daemon: SignerDaemon
  private var nextStep: UInt64 = 0
  private var nextPass: UInt64 = 0
  private let trace: (String) -> Void

  init(
    _ settings: SignerSettings, clock: HostClock, middle: any Middle, mailboxes: Set<Mailbox>,
    trace: @escaping (String) -> Void
  ) throws {
    (self.settings, self.clock, self.trace) = (settings, clock, trace)
    outbox = try Outbox(directory: settings.state, sinceBoot: { clock.sinceBoot })
    daemon = SignerDaemon(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: Self.log,
      now: { clock.now })
    correspondents = mailboxes
    line = middle.line("signer", Self.port(settings, outbox, mailboxes, clock), trace: trace)
    try begin(isOrderly: true)
  }

  private static func port(
    _ settings: SignerSettings, _ outbox: Outbox, _ mailboxes: Set<Mailbox>, _ clock: HostClock
  ) -> CarrierPort {
    CarrierPort(
      mailbox: settings.identity.public.mailbox, correspondents: mailboxes, store: outbox.store,
      byteCountMax: 2 * UInt64(Limits.chunkByteCountMax),
      log: log, now: { clock.now })
  }

  private static let log = Logger(label: "signer") { _ in SwiftLogNoOpLogHandler() }

  /// A new process on the same state.
  func restart(isOrderly: Bool) throws {
    line.disconnect()
    try outbox.store.state.queue.close()
    outbox = try Outbox(directory: settings.state, sinceBoot: { [clock] in clock.sinceBoot })
    try begin(isOrderly: isOrderly)
  }

  private func begin(isOrderly: Bool) throws {
    let clock = clock
    nonisolated(unsafe) unowned let host = self
    var port = Self.port(settings, outbox, correspondents, clock)
    port.accept = { try host.take($0) }
    port.delivered = {
      try host.outbox.markStored($0, at: host.clock.now)
      host.hasNews = true
    }
    try line.replace(port, isOrderly: isOrderly)
    daemon = SignerDaemon(settings, outbox: outbox, progress: progress, log: Self.log) { clock.now }
    (isRunning, hasNews, nextStep, nextPass) = (true, true, 0, 0)
  }

  /// An empty one in its place.
  func loseState() throws {
    try outbox.store.state.queue.close()
    try FileManager.default.removeItem(atPath: settings.state)
    try restart(isOrderly: false)
  }

  private var progress: SendProgress {
    nonisolated(unsafe) unowned let host = self
    return SendProgress { step, _, _ in if step == .sealing { host.onSealing() } }
  }

  /// As a hook, or a run by hand, does it beside a daemon that moves what is there; without the wait for receipts.
  func handle(
    _ subject: PushRequest.Subject, at repository: String,
    report: @escaping (IntakeReport) -> Void
  ) throws -> IntakeResult {
    let clock = clock
    let delivery = Delivery(
      settings, outbox: outbox, progress: progress,
      log: Logger(label: "signer") { _ in SwiftLogNoOpLogHandler() }, now: { clock.now })
    let intake = PushIntake(
      settings, outbox: outbox, courier: .daemon(delivery), now: { clock.now },
      progress: progress, report: report)
    return try intake.handle(
      PushRequest(
        repository: repository, isNamed: true, subject: subject, patience: .zero))
  }

  /// Whether anything was done.
  func turn() throws -> Bool {
    guard isRunning else { return false }
    let now = clock.worldMilliseconds
    guard hasNews || nextStep <= now || nextPass <= now else { return false }
    let isDue = nextStep <= now
    let isHealing = hasNews || nextPass <= now
    hasNews = false
    // As the service does after a fault.
    if isDue { nextStep = now + 10_000 }
    if isHealing { nextPass = now + 10_000 }
    if isDue { nextStep = now + max(1, try daemon.step()) }
    var isAtWork = false
    if isHealing {
      let pass = try daemon.heal()
      nextPass = now + max(1, daemon.rest(after: pass))
      isAtWork = !pass.sent.isEmpty
      for failure in pass.failures { trace("cannot heal \(failure.recipient): \(failure.error)") }
    }
    line.outgoingChanged()
    return isAtWork
  }

  /// What `Delivery` does with what has come.
  private func take(_ messages: [MessageWriter]) throws {
    let reader = ReceiptReader(settings, outbox: outbox)
    var receipts: [ReceiptReader.Answer] = []
    for message in messages {
      do {
        receipts.append(
          try reader.read(ChunkList(message.inlineChunks), named: message.offer.id))
      } catch is SealingError {
        continue
      }
    }
    let readings = try reader.record(receipts, at: clock.now)
    if readings.joined().contains(.news) { hasNews = true }
  }

  /// When there is something to do though nothing comes.
  var nextTurn: UInt64? { isRunning ? min(nextStep, nextPass) : nil }
}
