import BrokerCarrier
import CarrierProtocol
import DirectoryCarrier
import Foundation
import Host
import InProcessCarrier
import Logging
import Mailboxes
import MessageFormat
import TestSupport
import Testing
import ZeroMQCarrier

/// A broker that keeps mailboxes, as all tests of carriers know it; its own tests know more.
protocol BrokerOfTest: AnyObject {
  associatedtype Kind: Broker

  /// A new mailbox in the place of what a test before has left.
  func renew(_ mailbox: Mailbox) throws

  func broker() throws -> Kind

  /// Killed as it works, and started again with what it had on its disk.
  func restart() throws

  func end()
}

extension BrokerOfTest {
  /// The process ends it, which has it for all tests.
  func end() {}
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
  /// Where there is a broker.
  private let mailboxes: (any BrokerOfTest)?

  /// `mailboxes`: those of another broker than the subject's usual one.
  init(
    _ subject: CarrierSubject, inboxMax: InboxLimit = InboxLimit(),
    at mailboxes: (any BrokerOfTest)? = nil
  ) throws {
    self.subject = subject
    let folder = try TemporaryFolder()
    self.folder = folder
    sender = try CarrierMachine("alice", in: folder)
    readers = try ["bob", "carol"].map {
      try CarrierMachine($0, in: folder, inboxMax: inboxMax)
    }
    ports = try readers.map { _ in try FreePort.endpoint() }
    self.mailboxes = try mailboxes ?? subject.broker(in: folder)
    for machine in [sender] + readers { try self.mailboxes?.renew(machine.mailbox) }
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
    mailboxes?.end()
  }

  var queues: RabbitMQQueuesOfTest? { mailboxes as? RabbitMQQueuesOfTest }
  var stomp: STOMPQueuesOfTest? { mailboxes as? STOMPQueuesOfTest }
  var ironQueues: IronMQQueuesOfTest? { mailboxes as? IronMQQueuesOfTest }
  var streams: NATSStreamsOfTest? { mailboxes as? NATSStreamsOfTest }

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
    case .rabbitMQ, .activeMQ, .rabbitMQByStomp, .ironMQ, .nats:
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
    case .rabbitMQ, .activeMQ, .rabbitMQByStomp, .ironMQ, .nats:
      try reader.connect(by: brokerCarrier(), correspondents: sender)
    }
  }

  private func brokerCarrier() throws -> BrokerCarrier {
    BrokerCarrier(try #require(try mailboxes?.broker()), timeouts: Self.timeouts)
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
    case .rabbitMQ, .activeMQ, .rabbitMQByStomp, .ironMQ, .nats: try mailboxes?.restart()
    }
  }
}
