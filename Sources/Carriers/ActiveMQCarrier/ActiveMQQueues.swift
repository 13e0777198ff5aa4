import BrokerCarrier
import CarrierProtocol
import Foundation
import Host
import MessageFormat
import STOMP

/// Mailboxes as queues, over two connections: a broker that is short of room reads nothing of the one that publishes, and
/// what was delivered and not acknowledged comes again when the other one ends. Belongs to one thread.
final class ActiveMQQueues: BrokerConnection {
  private static let subscription = "mail"
  private static let answerMax: Duration = .seconds(10)
  /// Where nothing came for so long, nothing waits: of brokers that cannot be asked.
  private static let idleMin: Duration = .milliseconds(500)
  private static let turnMax: Duration = .seconds(5)
  private static let eventCountMax = 64

  private let broker: ActiveMQBroker
  private let mailbox: Mailbox
  private let bell: Bell
  private let publishing: STOMPConnection
  private var publications = OpenPublications()
  private var lastReceipt = ContinuousClock.now
  private var consuming: STOMPConnection?
  /// Of deliveries without an answer, what the broker calls them.
  private var deliveries: [DeliveryTag: String] = [:]
  private var lastTag: DeliveryTag = 0
  private var lastDelivery = ContinuousClock.now
  private var lookCount = 0
  private var events: [BrokerEvent] = []
  private var fault: STOMPError?
  /// The loop says what it has made of the last deliveries before it hears of a fault: a message that causes one must not
  /// come again for ever.
  private var mayAnswer = true

  init(
    of broker: ActiveMQBroker, as mailbox: Mailbox, publishing: STOMPConnection, _ bell: Bell
  ) {
    (self.broker, self.mailbox, self.publishing, self.bell) = (broker, mailbox, publishing, bell)
  }

  private func calling<Value>(
    _ body: () throws(STOMPError) -> Value
  ) throws(CarrierError) -> Value {
    do throws(STOMPError) {
      return try body()
    } catch {
      fault = error
      throw .faulty(endpoint: broker.place, error)
    }
  }

  // MARK: - Out

  func publish(
    _ message: BrokerMessage, into mailbox: Mailbox, lifetime: Duration?
  ) throws(CarrierError) {
    if publications.isEmpty { lastReceipt = .now }
    let now = UInt64(max(0, Date().timeIntervalSince1970 * 1_000))
    let frame = QueueFrames.publication(
      message.encoded(), number: publications.add(), into: mailbox,
      expiring: lifetime.map { QueueFrames.Expiry(after: $0, from: now) }, at: publishing.server)
    try calling { () throws(STOMPError) in try publishing.send([frame]) }
  }

  private func takeAnswers() throws(STOMPError) {
    while let frame = try publishing.next() {
      guard let number = frame["receipt-id"].flatMap({ UInt64($0) }) else { continue }
      lastReceipt = .now
      if frame.command == "RECEIPT" {
        publications.receive(number)
      } else if frame.command == "ERROR", publications.refuse(number) {
        let refusal = PublicationRefusal(frame)
        events.append(.refused(PublicationNumbers(number), refusal.reason, refusal.detail))
      }
    }
  }

  /// Refusals come before what confirms all up to a number.
  private func reportAnswers() {
    if let numbers = publications.takeConfirmed() { events.append(.confirmed(numbers)) }
    guard !publications.isEmpty, lastReceipt + broker.blockedMax <= .now else { return }
    events.append(
      .blocked("no receipt within \(broker.blockedMax): its store or memory may be full"))
  }

  // MARK: - In

  func consume(prefetch: UInt16) throws(CarrierError) {
    do {
      let line = try broker.login(ringing: bell)
      consuming = line
      try line.send([
        QueueFrames.subscription(
          Self.subscription, to: mailbox, prefetch: prefetch, receipt: Self.subscription,
          at: line.server)
      ])
      let answer = try awaitFrame(on: line) { $0["receipt-id"] == Self.subscription }
      guard answer.command == "RECEIPT" else {
        throw STOMPError.rejected(reason: answer.complaint)
      }
      lastDelivery = .now
    } catch {
      fault = fault ?? (error as? STOMPError) ?? .line(reason: "no subscription")
      throw .faulty(endpoint: broker.place, error)
    }
  }

  /// What was handled before is: the broker has said so when it ends.
  func cancel() {
    consuming?.close(inOrder: true)
    consuming = nil
    deliveries = [:]
    events.removeAll { if case .delivery = $0 { true } else { false } }
  }

  func acknowledge(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    try answer(deliveries, by: QueueFrames.acknowledgement)
  }

  func reject(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    try answer(deliveries, by: STOMPFrame.reject)
  }

  /// Those of a consumption that has ended come again.
  private func answer(
    _ tags: [DeliveryTag], by frame: (String) -> STOMPFrame
  ) throws(CarrierError) {
    let frames = tags.compactMap { deliveries.removeValue(forKey: $0) }.map(frame)
    guard let consuming, !frames.isEmpty else { return }
    try calling { () throws(STOMPError) in try consuming.send(frames) }
  }

  private func take(_ frame: STOMPFrame) {
    guard frame.command == "MESSAGE", frame["subscription"] == Self.subscription,
      let id = frame["ack"]
    else { return }
    lastTag += 1
    lastDelivery = .now
    deliveries[lastTag] = id
    events.append(.delivery(lastTag, bytes: frame.body))
  }

  func waitingCount() throws(CarrierError) -> UInt64 {
    guard let consuming, deliveries.isEmpty else { return 1 }
    guard QueueFrames.canBrowse(consuming.server) else {
      return lastDelivery + Self.idleMin <= .now ? 0 : 1
    }
    lookCount += 1
    let id = "look-\(lookCount)"
    return try calling { () throws(STOMPError) in
      try consuming.send([QueueFrames.browsing(id, mailbox)])
      let answer = try awaitFrame(on: consuming) { $0["subscription"] == id }
      try consuming.send([QueueFrames.unsubscription(id)])
      return QueueFrames.isEndOfBrowsing(answer) ? 0 : 1
    }
  }

  /// Deliveries that come before it are kept.
  private func awaitFrame(
    on line: STOMPConnection, _ isAnswer: (STOMPFrame) -> Bool
  ) throws(STOMPError) -> STOMPFrame {
    let end = ContinuousClock.now + Self.answerMax
    while end > .now {
      guard let frame = try line.next() else {
        bell.wait(until: end)
        continue
      }
      if isAnswer(frame) { return frame }
      if frame.command == "ERROR" { throw .rejected(reason: frame.complaint) }
      take(frame)
    }
    throw .line(reason: "no answer within \(Self.answerMax)")
  }

  // MARK: - Both

  func next(until end: ContinuousClock.Instant) throws(CarrierError) -> BrokerEvent? {
    if let event = try nextEvent() { return event }
    guard end > .now, fault == nil else { return nil }
    bell.wait(until: min(end, .now + Self.turnMax))
    return try nextEvent()
  }

  /// What came before a line ended counts.
  private func nextEvent() throws(CarrierError) -> BrokerEvent? {
    if events.isEmpty, fault == nil {
      do throws(STOMPError) {
        try takeAnswers()
        while events.count < Self.eventCountMax, let frame = try consuming?.next() { take(frame) }
      } catch {
        fault = error
      }
      reportAnswers()
    }
    if !events.isEmpty { return events.removeFirst() }
    guard let fault else { return nil }
    guard !mayAnswer else {
      mayAnswer = false
      return nil
    }
    throw .faulty(endpoint: broker.place, fault)
  }

  func close() {
    let isInOrder = fault == nil
    consuming?.close(inOrder: isInOrder)
    publishing.close(inOrder: isInOrder && publications.isEmpty)
  }
}
