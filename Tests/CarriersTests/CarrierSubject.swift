import CarrierProtocol
import Host
import Mailboxes
import MessageFormat
import Sodium
import Synchronization
import TestSupport
import Testing

/// A carrier between a sender and readers, of which the conformance tests know no more than `Carrier` tells. A new transport
/// adds a case, and passes.
enum CarrierSubject: String, CaseIterable, CustomTestStringConvertible {
  case inProcess = "in process"
  case directory = "a directory"
  case zeroMQRelay = "ZeroMQ, by a relay"
  /// The reader listens itself.
  case zeroMQDirect = "ZeroMQ, direct"
  case rabbitMQ = "RabbitMQ"
  case activeMQ = "ActiveMQ"
  /// The same code, with another broker's plugin.
  case rabbitMQByStomp = "RabbitMQ by STOMP"
  /// A server of ours that behaves as its documentation says.
  case ironMQ = "IronMQ"
  case nats = "NATS"

  /// Those that this machine has.
  static let available = allCases.filter { subject in
    switch subject {
    case .rabbitMQ, .rabbitMQByStomp: RabbitMQServer.absence == nil
    case .activeMQ: ActiveMQServer.absence == nil
    case .nats: NATSServer.absence == nil
    default: true
    }
  }
  /// Those with something between that keeps messages.
  static let keeping = available.filter { $0 != .zeroMQDirect }

  var testDescription: String { rawValue }

  /// `nil`: it needs none.
  func broker(in folder: TemporaryFolder) throws -> (any BrokerOfTest)? {
    switch self {
    case .inProcess, .directory, .zeroMQRelay, .zeroMQDirect: nil
    case .rabbitMQ: try RabbitMQQueuesOfTest(in: folder)
    case .activeMQ, .rabbitMQByStomp: try STOMPQueuesOfTest(self, in: folder)
    case .ironMQ: try IronMQQueuesOfTest(in: folder)
    case .nats: try NATSStreamsOfTest()
    }
  }
}

/// A machine with a store, and what a carrier has told it.
final class CarrierMachine: Sendable {
  struct News: Sendable {
    var arrivalCount = 0
    var delivered: [MessageID] = []
    var refused: [RefusedMessage] = []
    /// So often nothing is accepted, as on a full disk.
    var faultCount = 0
    /// Everything that was accepted, in its order.
    var accepted: [MessageID] = []
    var failures: [String] = []
    /// Chunks of the message that is on its way.
    var movedCount: UInt32 = 0
  }

  struct Disk: Error {}

  let identity: Identity
  let store: MailboxStore
  let inboxMax: InboxLimit
  let log = TestLog()
  private let record = Record()
  private let carriers = Mutex<CarrierSet?>(nil)

  /// What the carrier's thread holds, which must never be the last to hold the carrier.
  private final class Record: Sendable {
    private let news = Mutex(News())
    let bell = Bell()

    var current: News { news.withLock { $0 } }

    func note<Value: Sendable>(_ change: (inout News) -> Value) -> Value {
      let value = news.withLock { change(&$0) }
      bell.ring()
      return value
    }
  }

  var mailbox: Mailbox { identity.public.mailbox }
  var current: News { record.current }

  init(_ name: String, in folder: TemporaryFolder, inboxMax: InboxLimit = InboxLimit()) throws {
    identity = try TestIdentity.make(name)
    store = try MailboxStore(testing: folder.path + "/" + name)
    self.inboxMax = inboxMax
  }

  deinit { disconnect() }

  func failToAccept(times count: Int) { record.note { $0.faultCount = count } }

  /// By several: each takes what the one before it has left for so long.
  func connect(
    by all: any Carrier..., correspondents: Set<Mailbox>, failover delay: Duration = .zero
  ) throws {
    let (store, record) = (store, record)
    var port = CarrierPort(
      mailbox: mailbox, correspondents: correspondents, store: store, byteCountMax: 1 << 30,
      inboxMax: inboxMax, log: log.logger,
      now: { Timestamp(milliseconds: 2_000) }, arrived: { record.note { $0.arrivalCount += 1 } })
    let accept = port.accept
    port.accept = { messages in
      let isFull = record.note { news in
        news.faultCount -= 1
        return news.faultCount >= 0
      }
      if isFull { throw Disk() }
      try accept(messages)
      record.note { $0.accepted += messages.map(\.offer.id) }
    }
    port.moved = { _, done, _ in record.note { $0.movedCount = done } }
    port.stateChanged = { state in
      if case .failed(let error) = state { record.note { $0.failures.append("\(error)") } }
    }
    port.delivered = { waiting in
      try store.remove(waiting)
      record.note { $0.delivered += waiting.map(\.message.id) }
    }
    port.refused = { refusal in record.note { $0.refused.append(refusal) } }
    let (set, failover) = (CarrierSet(), Failover(after: delay))
    for carrier in all {
      port.turn = failover.turn(for: correspondents)
      try set.start(carrier, port) { error in preconditionFailure("\(error)") }
    }
    carriers.withLock { $0 = set }
  }

  func disconnect() {
    let set = carriers.withLock { $0.take() }
    set?.stop()
  }

  func put(_ letter: Letter, for readers: [CarrierMachine]) throws {
    let message = try MessageWriter(
      letter.offer(for: readers.map(\.mailbox)), from: mailbox, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    try store.commit([message], at: letter.time)
    carriers.withLock { $0 }?.outgoingChanged()
  }

  func has(_ letter: Letter) throws -> Bool {
    guard let message = try store.message(letter.id, in: mailbox) else { return false }
    return try message.chunks() == letter.chunks
  }

  func requireMail(
    _ letters: [Letter], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try wait({ try letters.allSatisfy { try has($0) } }, sourceLocation: sourceLocation)
  }

  func requireDelivered(
    _ letters: [Letter], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try wait(
      { Set(current.delivered).isSuperset(of: letters.map(\.id)) }, sourceLocation: sourceLocation)
  }

  /// Whether it comes to that in so long.
  func waits(for duration: Duration, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + duration
    while try !condition() {
      guard .now < end else { return false }
      record.bell.wait(for: .milliseconds(20))
    }
    return true
  }

  func wait(
    _ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let end = ContinuousClock.now + patience
    while try !condition() {
      try #require(.now < end, "\(current)", sourceLocation: sourceLocation)
      record.bell.wait(for: .milliseconds(20))
    }
  }
}
