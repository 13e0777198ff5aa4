import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What `Carrier` promises, by every transport: a sender, one or two readers, and what goes wrong on the way. Nothing here
/// knows how the messages travel.
@Suite(.serialized) struct CarrierConformanceTests {
  private static let large = 40 * Limits.chunkByteCountMax + 17

  @Test(
    .enabled(if: RabbitMQServer.absence == nil, "rabbitmq-server is not installed"))
  func `RabbitMQ is among them`() {
    #expect(CarrierSubject.keeping.contains(.rabbitMQ))
  }

  @Test(.enabled(if: ActiveMQServer.absence == nil, "activemq is not installed"))
  func `ActiveMQ is among them`() {
    #expect(CarrierSubject.keeping.contains(.activeMQ))
  }

  @Test(.enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
  func `NATS is among them`() {
    #expect(CarrierSubject.keeping.contains(.nats))
  }

  @Test(arguments: CarrierSubject.available)
  func `messages arrive whole, once each, whatever their size`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    let letters = [fixture.letter(1), fixture.letter(2, Self.large), fixture.letter(3)]
    try fixture.connect(fixture.readers[0])
    try fixture.connectSender()
    for letter in letters { try fixture.sender.put(letter, for: [fixture.readers[0]]) }
    try fixture.readers[0].requireMail(letters)
    try fixture.sender.requireDelivered(letters)
    #expect(fixture.sender.current.delivered.count == letters.count)
    let waiting = try fixture.sender.store.outgoing(
      for: [fixture.readers[0].mailbox], countMax: 9)
    #expect(waiting.isEmpty)
  }

  /// A direct carrier has nothing between: there the message waits at the sender.
  @Test(arguments: CarrierSubject.available)
  func `an offline recipient gets what was sent meanwhile`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    try fixture.connectSender()
    let letters = [fixture.letter(1), fixture.letter(2, Self.large)]
    for letter in letters { try fixture.sender.put(letter, for: [fixture.readers[0]]) }
    if subject != .zeroMQDirect {
      try fixture.sender.requireDelivered(letters)
      fixture.sender.disconnect()
    }
    try fixture.connect(fixture.readers[0])
    try fixture.readers[0].requireMail(letters)
  }

  @Test(arguments: CarrierSubject.keeping)
  func `a recipient that is offline holds up no other`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    try fixture.connect(fixture.readers[1])
    try fixture.connectSender()
    let letters = (1...5).map { fixture.letter(UInt32($0)) }
    for letter in letters { try fixture.sender.put(letter, for: fixture.readers) }
    try fixture.readers[1].requireMail(letters)
    try fixture.connect(fixture.readers[0])
    try fixture.readers[0].requireMail(letters)
  }

  /// The reader's disk is full three times: what was not made durable is delivered again, and nothing is lost.
  @Test(arguments: CarrierSubject.keeping)
  func `what is not durable here is not acknowledged`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    fixture.readers[0].failToAccept(times: 2)
    try fixture.connect(fixture.readers[0])
    try fixture.connectSender()
    let letters = [fixture.letter(1), fixture.letter(2, Self.large)]
    for letter in letters { try fixture.sender.put(letter, for: [fixture.readers[0]]) }
    try fixture.readers[0].requireMail(letters)
    #expect(fixture.readers[0].current.faultCount < 0)
  }

  @Test(arguments: CarrierSubject.available)
  func `delivered is said only of what survives a restart`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    if subject == .zeroMQDirect { try fixture.connect(fixture.readers[0]) }
    try fixture.connectSender()
    let letters = (1...8).map { fixture.letter(UInt32($0), $0 * 70_000) }
    for letter in letters { try fixture.sender.put(letter, for: [fixture.readers[0]]) }
    try fixture.sender.requireDelivered(letters)
    fixture.sender.disconnect()
    try fixture.restart()
    if subject != .zeroMQDirect { try fixture.connect(fixture.readers[0]) }
    try fixture.readers[0].requireMail(letters)
  }

  @Test(arguments: CarrierSubject.available)
  func `a program that ends in the middle goes on at its next run`(subject: CarrierSubject) throws {
    let fixture = try CarrierFixture(subject)
    let letter = fixture.letter(1, 200 * Limits.chunkByteCountMax)
    try fixture.sender.put(letter, for: [fixture.readers[0]])
    for _ in 0..<3 {
      try fixture.connect(fixture.readers[0])
      try fixture.connectSender()
      fixture.sender.disconnect()
      fixture.readers[0].disconnect()
    }
    try fixture.connect(fixture.readers[0])
    try fixture.connectSender()
    try fixture.readers[0].requireMail([letter])
  }

  /// An inbox that is full leaves messages at the carrier; what is taken out of it makes room for the next.
  @Test(arguments: CarrierSubject.keeping)
  func `a full inbox leaves the rest at the carrier`(subject: CarrierSubject) throws {
    var limit = InboxLimit()
    limit.messageCount = 2
    let fixture = try CarrierFixture(subject, inboxMax: limit)
    let reader = fixture.readers[0]
    try fixture.connectSender()
    let letters = (1...6).map { fixture.letter(UInt32($0)) }
    for letter in letters { try fixture.sender.put(letter, for: [reader]) }
    try fixture.sender.requireDelivered(letters)
    try fixture.connect(reader)
    var taken: Set<MessageID> = []
    while taken.count < letters.count {
      try reader.wait { try reader.store.first(in: reader.mailbox) != nil }
      let held = try reader.store.messages(in: reader.mailbox, countMax: 9)
      // What one answer of a relay brings may come whole.
      #expect(held.count <= 2)
      for message in held {
        taken.insert(message.id)
        try reader.store.remove(message)
      }
    }
  }
}
