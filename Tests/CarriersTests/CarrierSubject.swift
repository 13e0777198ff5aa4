import BrokerCarrier
import CarrierProtocol
import DirectoryCarrier
import Foundation
import Host
import InProcessCarrier
import Logging
import Mailboxes
import MessageFormat
import Sodium
import Synchronization
import TestSupport
import Testing
import ZeroMQCarrier

/// A carrier between a sender and readers, of which the conformance tests know no more than `Carrier` tells. A new transport
/// adds a case, and passes.
enum CarrierSubject: String, CaseIterable, CustomTestStringConvertible {
  case inProcess = "in process"
  case directory = "a directory"
  case zeroMQRelay = "ZeroMQ, by a relay"
  /// The reader listens itself.
  case zeroMQDirect = "ZeroMQ, direct"
  case rabbitMQ = "RabbitMQ"
  case nats = "NATS"

  /// Those that this machine has.
  static let available = allCases.filter { subject in
    switch subject {
    case .rabbitMQ: RabbitMQServer.absence == nil
    case .nats: NATSServer.absence == nil
    default: true
    }
  }
  /// Those with something between that keeps messages.
  static let keeping = available.filter { $0 != .zeroMQDirect }

  var testDescription: String { rawValue }
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

  func connect(by carrier: any Carrier, correspondents: Set<Mailbox>) throws {
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
    port.moved = { done, _ in record.note { $0.movedCount = done } }
    port.stateChanged = { state in
      if case .failed(let error) = state { record.note { $0.failures.append("\(error)") } }
    }
    port.delivered = { waiting in
      try store.remove(waiting)
      record.note { $0.delivered.append(waiting.message.id) }
    }
    port.refused = { refusal in record.note { $0.refused.append(refusal) } }
    let set = CarrierSet()
    try set.start(carrier, port) { error in preconditionFailure("\(error)") }
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

/// What stands between the machines, with a way to break it.
final class CarrierFixture {
  let subject: CarrierSubject
  let folder: TemporaryFolder
  let sender: CarrierMachine
  let readers: [CarrierMachine]
  private let broker = InProcessBroker(seed: 7)
  private var relay: Server?
  private let ports: [String]
  let queues: RabbitMQQueuesOfTest?
  let streams: NATSStreamsOfTest?

  init(
    _ subject: CarrierSubject, inboxMax: InboxLimit = InboxLimit(),
    at given: NATSStreamsOfTest? = nil
  ) throws {
    self.subject = subject
    let folder = try TemporaryFolder()
    self.folder = folder
    sender = try CarrierMachine("alice", in: folder)
    readers = try ["bob", "carol"].map {
      try CarrierMachine($0, in: folder, inboxMax: inboxMax)
    }
    ports = try readers.map { _ in try FreePort.endpoint() }
    queues = subject == .rabbitMQ ? try RabbitMQQueuesOfTest(in: folder) : nil
    streams = subject == .nats ? try given ?? NATSStreamsOfTest() : nil
    for machine in [sender] + readers {
      try queues?.renew(machine.mailbox)
      try streams?.renew(machine.mailbox)
    }
    if subject == .directory {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false)
      _ = try CarriedDirectory.prepare(directory)
    }
    if subject == .zeroMQRelay {
      relay = try Server(for: ([sender] + readers).map(\.identity.public))
    }
  }

  deinit {
    for machine in [sender] + readers { machine.disconnect() }
    relay?.stop()
  }

  private var directory: String { folder.path + "/stick" }

  private func exchange(by machine: CarrierMachine) -> any Carrier {
    DirectoryPlan(path: directory, fileMebibytes: 1, pollInterval: .milliseconds(20)).carrier(
      for: machine.identity, peers: [], timeouts: Self.timeouts,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  static let timeouts: ExchangeTimeouts = {
    var timeouts = ExchangeTimeouts()
    timeouts.pauses = (.milliseconds(20), .milliseconds(200))
    return timeouts
  }()

  /// A message for all readers.
  func letter(_ number: UInt32, _ payloadByteCount: Int = 100) -> Letter {
    Letter(number, payloadByteCount: payloadByteCount, for: readers.map(\.mailbox))
  }

  func connectSender() throws {
    let mailboxes = readers.map(\.mailbox)
    switch subject {
    case .inProcess:
      try sender.connect(by: InProcessEnd(of: broker), correspondents: Set(mailboxes))
    case .directory: try sender.connect(by: exchange(by: sender), correspondents: Set(mailboxes))
    case .zeroMQRelay: try sender.connect(by: exchange(of: sender), correspondents: Set(mailboxes))
    case .zeroMQDirect:
      // One carrier leads to one reader: the tests of several readers are not for this one.
      let carrier = try ZeroMQExchange(
        to: ports[0], of: readers[0].identity.public, as: sender.identity, timeouts: Self.timeouts)
      try sender.connect(by: carrier, correspondents: [mailboxes[0]])
    case .rabbitMQ, .nats:
      try sender.connect(by: brokerCarrier(), correspondents: Set(mailboxes))
    }
  }

  func connect(_ reader: CarrierMachine) throws {
    let sender: Set = [sender.mailbox]
    switch subject {
    case .inProcess: try reader.connect(by: InProcessEnd(of: broker), correspondents: sender)
    case .directory: try reader.connect(by: exchange(by: reader), correspondents: sender)
    case .zeroMQRelay: try reader.connect(by: exchange(of: reader), correspondents: sender)
    case .zeroMQDirect:
      let carrier = try ListeningCarrier(
        on: ports[0], as: reader.identity, peers: [self.sender.identity.public],
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      try reader.connect(by: carrier, correspondents: sender)
    case .rabbitMQ, .nats: try reader.connect(by: brokerCarrier(), correspondents: sender)
    }
  }

  private func brokerCarrier() throws -> BrokerCarrier {
    if let streams { return BrokerCarrier(try streams.broker(), timeouts: Self.timeouts) }
    let queues = try #require(queues)
    return BrokerCarrier(try queues.broker(), timeouts: Self.timeouts)
  }

  private func exchange(of machine: CarrierMachine) throws -> ZeroMQExchange {
    let relay = try #require(relay)
    return try ZeroMQExchange(
      to: relay.endpoint, of: relay.machine.identity.public, as: machine.identity,
      timeouts: Self.timeouts)
  }

  /// What stands between goes away, and comes back with what it had on its disk.
  func restart() throws {
    switch subject {
    case .inProcess:
      var faults = InProcessFaults()
      faults.isDown = true
      broker.behave(faults)
      broker.behave()
    case .directory:
      // Pulled out, and plugged in again.
      try FileManager.default.moveItem(atPath: directory, toPath: directory + "-away")
      try FileManager.default.moveItem(atPath: directory + "-away", toPath: directory)
    case .zeroMQRelay:
      relay?.stop()
      try relay?.start()
    case .zeroMQDirect:
      readers[0].disconnect()
      try connect(readers[0])
    case .rabbitMQ: try queues?.restart()
    case .nats: try streams?.restart()
    }
  }
}
