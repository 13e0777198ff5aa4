import CarrierProtocol
import Host
import Logging
import Mailboxes
import MessageFormat
import Sodium
import Synchronization
import TestSupport
import Testing
import ZeroMQCarrier

/// A machine's end of a line: its store, and the carrier that moves what lies in it.
final class Correspondent: Sendable {
  /// Everything that a carrier tells, in its order.
  struct News {
    var accepted: [MessageID] = []
    var stored: [MessageID] = []
    var refusals: [RefusedMessage] = []
    var failures: [CarrierError] = []
    var connectionCount = 0
    var moves: [UInt32] = []
    /// So often nothing is accepted, as on a full disk.
    var faultCount = 0
  }

  struct Disk: Error {}

  let machine: Machine
  private let record: Record
  private let carriers = CarrierSet()

  var store: MailboxStore { record.store }

  init(_ machine: Machine, in folder: TemporaryFolder) throws {
    self.machine = machine
    record = Record(
      try MailboxStore(testing: folder.path + "/end-\(machine.identity.public.name)"))
  }

  deinit { stop() }

  func connect(
    to endpoint: String, server: PublicIdentity, correspondents: Set<Mailbox>,
    byteCountMax: UInt64 = 1 << 30, timeouts: ExchangeTimeouts = ExchangeTimeouts()
  ) throws {
    var port = CarrierPort(
      mailbox: machine.mailbox, correspondents: correspondents, store: store,
      byteCountMax: byteCountMax, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { Timestamp(milliseconds: 2_000) })
    record.listen(to: &port)
    let carrier = try ZeroMQExchange(
      to: endpoint, of: server, as: machine.identity, timeouts: timeouts)
    try carriers.start(carrier, port) { error in preconditionFailure("\(error)") }
  }

  func stop() { carriers.stop() }

  func failToAccept(times count: Int) { record.news.withLock { $0.faultCount = count } }

  var current: News { record.news.withLock { $0 } }

  /// Something to hand over.
  func put(_ letter: Letter, for mailboxes: [Mailbox]) throws {
    let message = try MessageWriter(
      letter.offer(for: mailboxes), from: letter.sender, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    try store.commit([message], at: letter.time)
    carriers.outgoingChanged()
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
      record.bell.wait(for: .milliseconds(50))
    }
  }

  struct Late: Error {}

  func requireMail(_ letter: Letter, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let stored = try #require(
      try store.message(letter.id, in: machine.mailbox), sourceLocation: sourceLocation)
    #expect(try stored.chunks() == letter.chunks, sourceLocation: sourceLocation)
  }
}

/// What the carrier's thread holds, which must never be the last to hold the carrier.
private final class Record: Sendable {
  let store: MailboxStore
  let news = Mutex(Correspondent.News())
  let bell = Bell()

  init(_ store: MailboxStore) { self.store = store }

  func listen(to port: inout CarrierPort) {
    port.accept = { [self] messages in try accept(messages) }
    port.delivered = { [self] waiting in
      try store.remove(waiting)
      note { $0.stored += waiting.map(\.message.id) }
    }
    port.refused = { [self] refusal in note { $0.refusals.append(refusal) } }
    port.moved = { [self] _, done, _ in note { $0.moves.append(done) } }
    port.stateChanged = { [self] state in
      switch state {
      case .connecting: break
      case .connected: note { $0.connectionCount += 1 }
      case .failed(let error): note { $0.failures.append(error) }
      }
    }
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
    bell.ring()
  }
}
