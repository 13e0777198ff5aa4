import Applier
import CarrierProtocol
import Foundation
import GRDB
import Logging
import Mailboxes
import MessageFormat
import Sodium

/// A private machine: an inbox, a worker and its checkouts.
final class ApplierHost {
  let name: String
  let settings: ApplierSettings
  let clock: HostClock
  let line: Line
  let checkouts: [Checkout]
  var isRunning = true
  var writeLimit: UInt64? { didSet { line.writeLimit = writeLimit } }
  private(set) var store: MailboxStore
  private(set) var worker: Worker
  private let inboxMax: InboxLimit
  private let trace: (String) -> Void
  /// When the worker is to look though nothing has come.
  private var nextLook: UInt64 = 0
  private let lookMilliseconds: UInt64
  /// When a heartbeat was last answered, in the world's time.
  private(set) var heardAt: UInt64?

  init(
    _ name: String, _ settings: ApplierSettings, checkouts: [Checkout], clock: HostClock,
    relay: RelayHost, inboxMax: InboxLimit, lookMilliseconds: UInt64,
    trace: @escaping (String) -> Void
  ) throws {
    (self.name, self.settings, self.checkouts, self.clock) = (name, settings, checkouts, clock)
    (self.lookMilliseconds, self.trace) = (lookMilliseconds, trace)
    store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
    worker = Self.worker(settings, store, clock, trace: { _ in })
    self.inboxMax = inboxMax
    line = Line(
      name, Self.port(settings, store, inboxMax, clock), to: relay, clock: clock.world,
      trace: trace)
    try restart(isOrderly: true)
  }

  private static func worker(
    _ settings: ApplierSettings, _ store: MailboxStore, _ clock: HostClock,
    trace: @escaping (String) -> Void
  ) -> Worker {
    let log = Logger(label: settings.identity.public.name.text) { _ in TraceHandler(trace) }
    return Worker(
      settings, store: store, log: log, now: { clock.now },
      sinceBoot: { clock.sinceBoot }, instant: { clock.instant }, onAnswer: {})
  }

  private static func port(
    _ settings: ApplierSettings, _ store: MailboxStore, _ inboxMax: InboxLimit, _ clock: HostClock
  ) -> CarrierPort {
    CarrierPort(
      mailbox: settings.identity.public.mailbox,
      correspondents: Set(settings.trustedSigners.map(\.mailbox)), store: store,
      byteCountMax: UInt64(Limits.chunkCountMax) * UInt64(Limits.chunkByteCountMax),
      inboxMax: inboxMax,
      log: Logger(label: "applier") { _ in SwiftLogNoOpLogHandler() }, now: { clock.now })
  }

  /// A new process on the same state.
  func restart(isOrderly: Bool) throws {
    line.disconnect()
    try store.state.queue.close()
    store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
    worker = Self.worker(settings, store, clock) { [unowned self] text in
      guard !text.contains("event=heartbeat-answered") else {
        return heardAt = clock.worldMilliseconds
      }
      trace("\(name): \(text)")
    }
    nonisolated(unsafe) let host = self
    var port = Self.port(settings, store, inboxMax, clock)
    port.accept = {
      try host.store.commit($0, at: host.clock.now)
      host.look()
    }
    try line.replace(port, isOrderly: isOrderly)
    isRunning = true
    look()
  }

  /// Something may be to do.
  func look() { nextLook = 0 }

  var nextTurn: UInt64? { isRunning ? nextLook : nil }

  var isDue: Bool { isRunning && nextLook <= clock.worldMilliseconds }

  /// One step; whether there may be another one at once.
  func turn() throws -> Bool {
    guard isDue else { return false }
    // Where it throws, as after a fault of the machine's.
    nextLook = clock.worldMilliseconds + 30_000
    let step = try worker.handleNext()
    line.outgoingChanged()
    if case .progress = step {
      look()
      return true
    }
    let waits = worker.fault != nil
    nextLook = clock.worldMilliseconds + (waits ? 30_000 : lookMilliseconds)
    return false
  }

  func status() throws -> ApplierStatus {
    try ApplierStatus(
      settings, store: store, now: Moment(wall: clock.now, sinceBoot: clock.sinceBoot))
  }

  /// A step of this checkout has begun and is not at its end.
  func hasJournal(of checkout: Checkout) throws -> Bool {
    try store.state.queue.read { database in
      try Int.fetchOne(
        database, sql: "SELECT COUNT(*) FROM journal WHERE checkout = ?",
        arguments: [checkout.path]) != 0
    }
  }
}

/// Log lines as lines of the trace: event and fields, whose order is that of their names. Everything is on one thread.
struct TraceHandler: LogHandler, @unchecked Sendable {
  private let trace: (String) -> Void
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.debug

  init(_ trace: @escaping (String) -> Void) { self.trace = trace }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }
      .map { "\($0.key)=\($0.value)" }
    trace(fields.joined(separator: " "))
  }
}
