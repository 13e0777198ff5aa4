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
  let line: any Line
  let checkouts: [Checkout]
  var isRunning = true
  var writeLimit: UInt64? { didSet { line.writeLimit = writeLimit } }
  private(set) var store: MailboxStore
  private(set) var worker: Worker
  private let inboxMax: InboxLimit
  private let trace: (String) -> Void
  /// When the worker is to look though nothing has come.
  private var nextLook: UInt64 = 0
  /// Branches of which this state has answered a heartbeat.
  private(set) var heard: Set<BranchName> = []
  /// Of some revision of its checkouts it may not know any more which signer sent it.
  private(set) var hasForgotten = false
  private var backup: (files: StateBackup, heard: Set<BranchName>)?

  init(
    _ name: String, _ settings: ApplierSettings, checkouts: [Checkout], clock: HostClock,
    middle: any Middle, inboxMax: InboxLimit,
    trace: @escaping (String) -> Void
  ) throws {
    (self.name, self.settings, self.checkouts, self.clock) = (name, settings, checkouts, clock)
    self.trace = trace
    store = try Self.store(settings, clock)
    worker = Self.worker(settings, store, clock, trace: { _ in })
    self.inboxMax = inboxMax
    line = middle.line(name, Self.port(settings, store, inboxMax, clock), trace: trace)
    try begin(isOrderly: true)
  }

  private static func store(
    _ settings: ApplierSettings, _ clock: HostClock
  ) throws -> MailboxStore {
    try MailboxStore(
      state: StateDatabase.applier(directory: settings.state), sinceBoot: { clock.sinceBoot })
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
    store = try Self.store(settings, clock)
    try begin(isOrderly: isOrderly)
  }

  private func begin(isOrderly: Bool) throws {
    worker = Self.worker(settings, store, clock) { [unowned self] text in
      guard !text.contains("event=heartbeat-answered") else {
        return heard.formUnion(
          checkouts.map(\.branch).filter {
            text.contains(" \($0);") || text.contains(" \($0) streams=")
          })
      }
      trace("\(name): \(text)")
    }
    nonisolated(unsafe) unowned let host = self
    var port = Self.port(settings, store, inboxMax, clock)
    port.accept = {
      try host.store.commit($0, at: host.clock.now)
      host.look()
    }
    try line.replace(port, isOrderly: isOrderly)
    isRunning = true
    look()
  }

  // MARK: - Its disk

  func loseState() throws {
    try store.state.queue.close()
    try FileManager.default.removeItem(atPath: settings.state)
    (heard, hasForgotten) = ([], true)
    try restart(isOrderly: false)
  }

  func backUp() throws {
    backup = (try StateBackup(of: settings.state, at: settings.state + "-backup"), heard)
  }

  /// Whether there is a backup.
  func restore() throws -> Bool {
    guard let backup else { return false }
    try store.state.queue.close()
    try backup.files.restore(to: settings.state)
    (heard, hasForgotten) = (backup.heard, true)
    try restart(isOrderly: false)
    return true
  }

  // MARK: - Turns

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
    switch step {
    case .progress:
      look()
      return true
    case .idle(let end):
      nextLook =
        end.map { max(clock.world.milliseconds(of: $0), clock.worldMilliseconds + 1) } ?? .max
      return false
    }
  }

  func status() throws -> ApplierStatus {
    try ApplierStatus(
      settings, store: store, now: Moment(wall: clock.now, sinceBoot: clock.sinceBoot))
  }

  /// A step of this checkout has begun and is not at its end.
  func hasJournal(of checkout: Checkout) throws -> Bool {
    // Not as a read of GRDB's, after which the program's cached statements are prepared anew.
    try store.state.reading { database in
      let sql = "SELECT COUNT(*) FROM journal WHERE checkout = ?"
      return try Int.fetchOne(database.cachedStatement(sql: sql), arguments: [checkout.path]) != 0
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
