import Carriers
import Dispatch
import Logging
import Mailboxes
import MessageFormat
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// A machine's end of a line: its store, and the exchange that moves what lies in it.
final class Correspondent: Sendable {
  /// Everything that an exchange tells, in its order.
  struct News {
    var accepted: [MessageID] = []
    var stored: [MessageID] = []
    var refusals: [ExchangeRefusal] = []
    var failures: [CarrierError] = []
    var connectionCount = 0
    var moves: [UInt32] = []
    /// So often nothing is accepted, as on a full disk.
    var faultCount = 0
  }

  struct Disk: Error {}

  let machine: Machine
  private let record: Record
  private let exchange = Mutex<Exchange?>(nil)

  var store: MailboxStore { record.store }

  init(_ machine: Machine, in folder: TemporaryFolder) throws {
    self.machine = machine
    record = Record(
      try MailboxStore(testing: folder.path + "/end-\(machine.identity.public.name)"))
  }

  deinit { stop() }

  func connect(
    to endpoint: String, server: CurvePublicKey, correspondents: Set<Mailbox>,
    byteCountMax: UInt64 = 1 << 30, patience: ExchangeTimeouts = ExchangeTimeouts()
  ) throws {
    let exchange = try Exchange(
      ExchangeSettings(
        endpoint: endpoint, server: server, identity: machine.transport,
        mailbox: machine.mailbox, byteCountMax: byteCountMax, store: store,
        correspondents: correspondents, patience: patience), in: Context(),
      handlers: record.handlers,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    self.exchange.withLock { $0 = exchange }
  }

  func stop() { exchange.withLock { $0.take() }?.stop() }

  func failToAccept(times count: Int) { record.news.withLock { $0.faultCount = count } }

  var current: News { record.news.withLock { $0 } }

  /// Something to hand over.
  func put(_ letter: Letter, for mailboxes: [Mailbox]) throws {
    let message = try MessageWriter(
      letter.offer(for: mailboxes), from: letter.sender, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    try store.commit([message], at: letter.time)
    exchange.withLock { $0 }?.outgoingChanged()
  }

  /// The first news of which this is true.
  @discardableResult
  func wait(
    within duration: Duration = patience, _ condition: (News) -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> News {
    let deadline = ContinuousClock.now + duration
    while true {
      let now = current
      if condition(now) { return now }
      guard ContinuousClock.now < deadline else {
        Issue.record("it did not come to that: \(now)", sourceLocation: sourceLocation)
        throw Late()
      }
      _ = record.bell.wait(timeout: .now() + .milliseconds(50))
    }
  }

  struct Late: Error {}

  func requireMail(_ letter: Letter, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let stored = try #require(
      try store.message(letter.id, in: machine.mailbox), sourceLocation: sourceLocation)
    #expect(try stored.chunks() == letter.chunks, sourceLocation: sourceLocation)
  }
}

/// What the exchange's thread holds, which must never be the last to hold the exchange.
private final class Record: Sendable {
  let store: MailboxStore
  let news = Mutex(Correspondent.News())
  let bell = DispatchSemaphore(value: 0)

  init(_ store: MailboxStore) { self.store = store }

  var handlers: ExchangeHandlers {
    var handlers = ExchangeHandlers(
      accept: { [self] messages in try accept(messages) },
      stored: { [self] waiting in
        try store.remove(waiting)
        note { $0.stored.append(waiting.message.id) }
      })
    handlers.refused = { [self] refusal in note { $0.refusals.append(refusal) } }
    handlers.moved = { [self] done, _ in note { $0.moves.append(done) } }
    handlers.stateChanged = { [self] state in
      switch state {
      case .connecting: break
      case .connected: note { $0.connectionCount += 1 }
      case .failed(let error): note { $0.failures.append(error) }
      }
    }
    return handlers
  }

  private func accept(_ messages: [MessageWriter]) throws {
    let isFull = news.withLock { news in
      news.faultCount -= 1
      return news.faultCount >= 0
    }
    guard !isFull else { throw Correspondent.Disk() }
    try store.commit(messages, at: Timestamp(milliseconds: 2_000))
    note { $0.accepted += messages.map(\.offer.id) }
  }

  private func note(_ change: (inout Correspondent.News) -> Void) {
    news.withLock { change(&$0) }
    bell.signal()
  }
}
