import BrokerCarrier
import CarrierProtocol
import MessageFormat
import NATS

/// Mailboxes as streams, over one connection: publishes into others', empties our own. Belongs to one thread.
final class NATSMailbox: BrokerConnection {
  /// What is delivered and not acknowledged for so long is delivered again, where its reader does not say that it has it.
  private static let patience: Duration = .seconds(30)
  private static let wordInterval: Duration = .seconds(10)
  /// A server says so often that a pull is known to it.
  private static let heartbeat: Duration = .seconds(5)
  private static let pullLifetime: Duration = .seconds(30)
  /// More than come before a pull ends by itself.
  private static let pullCountMax = 100_000
  private static let answerPatience: Duration = .seconds(2)
  /// More than a window has gaps.
  private static let takenBackMax: UInt64 = 20_000
  /// A server that has lost its leader may never say that it has a publication: it is published again.
  private static let confirmPatience: Duration = .seconds(12)
  /// Headers that go with a message.
  private static let headerByteCountMax = 512
  private static let checkedFor: Duration = .seconds(1)

  private let line: NATSConnection
  private let own: Mailbox
  private let place: String
  private let run: String
  private var hasFailed = false
  private var publishedCount: UInt64 = 0
  private var unconfirmed: [UInt64: Mailbox] = [:]
  /// Part of the names of what is published: what was not confirmed gets another one.
  private var attempt = 0
  /// What is to be told before anything else.
  private var news: [BrokerEvent] = []
  private var held = HeldDeliveries()
  /// Of the pull that runs; `nil`: none does.
  private var inbox: String?
  private var pulledCount = 0
  private var lastHeard = ContinuousClock.now
  private var missedCount = 0
  /// Streams that were asked for lately, and whether they are there.
  private var checked: [Mailbox: (isKept: Bool?, until: ContinuousClock.Instant)] = [:]

  init(_ line: NATSConnection, of mailbox: Mailbox, at place: String, run: String) {
    (self.line, own, self.place, self.run) = (line, mailbox, place, run)
  }

  private var stream: String { NATSNames.stream(of: own) }

  private func calling<Value>(
    _ body: () throws(NATSError) -> Value
  ) throws(CarrierError) -> Value {
    do throws(NATSError) {
      return try body()
    } catch {
      hasFailed = true
      throw .faulty(endpoint: place, error)
    }
  }

  func close() { line.close(inOrder: !hasFailed) }

  // MARK: - Out

  func publish(
    _ message: BrokerMessage, into mailbox: Mailbox, lifetime: Duration?
  ) throws(CarrierError) {
    publishedCount += 1
    let (number, bytes) = (publishedCount, message.encoded())
    guard bytes.count + Self.headerByteCountMax <= line.payloadByteCountMax else {
      news.append(
        .refused(
          PublicationNumbers(number), .overLimit,
          "the server's max_payload is \(line.payloadByteCountMax) bytes"))
      return
    }
    unconfirmed[number] = mailbox
    let identifier = "\(run).\(attempt).\(message.id.hex).\(message.first)"
    try calling { () throws(NATSError) in
      try line.publish(
        bytes, to: NATSNames.subject(of: message, into: mailbox, from: own),
        of: NATSNames.stream(of: mailbox), named: identifier, as: number,
        patience: Self.confirmPatience)
    }
  }

  private func refusal(
    of number: UInt64, _ rejection: NATSConnection.Rejection, _ reason: String
  ) -> BrokerEvent? {
    guard let mailbox = unconfirmed.removeValue(forKey: number) else { return nil }
    if rejection == .noConfirm { attempt += 1 }
    let (refusal, detail): (CarrierRefusal, String) =
      switch rejection {
      case .noStream:
        switch isKept(mailbox) {
        case true?: (.fault, "its stream has no leader for now")
        case false?: (.unknownMailbox, "there is no stream for it")
        case nil: (.unknownMailbox, "there is no stream for it, or it cannot be reached")
        }
      case .noConfirm: (.fault, "no server has confirmed it within \(Self.confirmPatience)")
      case .code(let code): CarrierRefusal.answer(code, reason)
      }
    return .refused(PublicationNumbers(number), refusal, detail)
  }

  /// Whether a stream is there that nobody answers for; `nil`: that cannot be found out.
  private func isKept(_ mailbox: Mailbox) -> Bool? {
    if let known = checked[mailbox], known.until > .now { return known.isKept }
    var isKept: Bool?
    do {
      isKept = try line.isKept(NATSNames.subjects(of: mailbox))
    } catch {
      isKept = nil
    }
    checked[mailbox] = (isKept, .now + Self.checkedFor)
    return isKept
  }

  /// The user may not publish into that mailbox, or may not do something that we cannot do without.
  private func refuse(_ violation: String) throws(CarrierError) {
    guard
      let match = violation.firstMatch(of: /Publish to "?distro\.([0-9a-f]+)\./)
    else { return try calling { () throws(NATSError) in throw .denied(reason: violation) } }
    for (number, mailbox) in unconfirmed where mailbox.hex == match.output.1 {
      unconfirmed[number] = nil
      news.append(.refused(PublicationNumbers(number), .notAllowed, violation))
    }
  }

  // MARK: - In

  func consume(prefetch: UInt16) throws(CarrierError) {
    let known = try calling { () throws(NATSError) in
      try line.consumer(NATSNames.consumer, of: stream)
    }
    if let known { try takeBack(known) }
    try calling { () throws(NATSError) in
      if known == nil {
        try line.makeConsumer(
          NATSNames.consumer, of: stream, windowMax: Int(prefetch), patience: Self.patience)
      }
      held.startAgain(after: known?.delivery ?? 0)
      missedCount = 0
      try pull()
    }
  }

  /// What was delivered before and not acknowledged comes again at once, in its order and before all else. A consumer
  /// that is deleted and made anew would do it as well: NATS 2.9 may leave that one without a quorum when a server dies.
  private func takeBack(_ known: NATSConsumerState) throws(CarrierError) {
    let (last, count) = (
      known.delivered, known.delivered - min(known.delivered, known.acknowledged)
    )
    guard known.pendingCount > 0, count > 0 else { return }
    let answer = "\(NATSNames.inbox(of: own)).answer"
    try calling { () throws(NATSError) in
      try line.listen(at: answer)
      for number in (last - min(count, Self.takenBackMax) + 1)...last {
        let reply =
          "$JS.ACK.\(stream).\(NATSNames.consumer).1.\(number).\(known.delivery).0.0"
        guard number == last else {
          try line.say("-NAK", at: reply)
          continue
        }
        try line.ask("-NAK", at: reply, answerTo: answer)
      }
    }
    // Before that was heard, new messages would come first.
    let end = ContinuousClock.now + Self.answerPatience
    while let event = line.next(until: end) {
      if case .status = event { return }
      if let event = try handle(event) { news.append(event) }
    }
  }

  /// Asks for more than ever come: the consumer's window holds them back.
  private func pull() throws(NATSError) {
    let inbox = "\(NATSNames.inbox(of: own)).\(UInt64.random(in: .min ... .max))"
    try line.listen(at: inbox)
    self.inbox = inbox
    try askForMore()
  }

  private func askForMore() throws(NATSError) {
    guard let inbox else { return }
    func nanoseconds(_ duration: Duration) -> Int64 { Int64(duration / .nanoseconds(1)) }
    try line.ask(
      """
      {"batch":\(Self.pullCountMax),"expires":\(nanoseconds(Self.pullLifetime)),\
      "idle_heartbeat":\(nanoseconds(Self.heartbeat))}
      """,
      at: "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(NATSNames.consumer)", answerTo: inbox)
    (pulledCount, lastHeard) = (0, .now)
  }

  func cancel() throws(CarrierError) {
    try calling { () throws(NATSError) in
      line.endListening()
      inbox = nil
      held.startAgain(after: 0)
      // Nothing is delivered to nobody after this.
      try line.flush()
    }
  }

  func acknowledge(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    try answer(deliveries, "+ACK")
  }

  /// Nobody could look at them later: the stream forgets them.
  func reject(_ deliveries: [DeliveryTag]) throws(CarrierError) { try answer(deliveries, "+TERM") }

  private func answer(_ deliveries: [DeliveryTag], _ word: String) throws(CarrierError) {
    try calling { () throws(NATSError) in
      for tag in deliveries {
        guard let reply = held.remove(tag) else { continue }
        try line.say(word, at: reply)
      }
    }
  }

  /// What a consumer says of it is wrong after deletions (NATS 2.9): the stream knows.
  func waitingCount() throws(CarrierError) -> UInt64 {
    try calling { () throws(NATSError) in
      guard let state = try line.stream(stream) else {
        throw .refused(code: 10_059, reason: "our stream was deleted")
      }
      return state.messageCount - min(state.messageCount, UInt64(held.count))
    }
  }

  // MARK: - What happens

  func next(until end: ContinuousClock.Instant) throws(CarrierError) -> BrokerEvent? {
    try calling { () throws(NATSError) in
      // The reader still works at these.
      for reply in held.silent(for: Self.wordInterval, at: .now) { try line.say("+WPI", at: reply) }
    }
    while true {
      if !news.isEmpty { return news.removeFirst() }
      guard let event = line.next(until: end) else {
        try calling { () throws(NATSError) in try lookAfterPull() }
        return nil
      }
      if let event = try handle(event) { return event }
    }
  }

  private func handle(_ event: NATSConnection.Event) throws(CarrierError) -> BrokerEvent? {
    switch event {
    case .confirmed(let number):
      guard unconfirmed.removeValue(forKey: number) != nil else { return nil }
      return .confirmed(PublicationNumbers(number))
    case .rejected(let number, let rejection, let reason):
      return refusal(of: number, rejection, reason)
    case .violation(let text):
      try refuse(text)
      return nil
    case .delivery(let delivery):
      return try calling { () throws(NATSError) in try take(delivery) }
    case .status(let code, let reason):
      try calling { () throws(NATSError) in try take(code, reason) }
      return nil
    case .closed(let reason):
      return try calling { () throws(NATSError) in throw .line(reason: reason) }
    }
  }

  private func take(_ delivery: NATSDelivery) throws(NATSError) -> BrokerEvent? {
    (lastHeard, missedCount, pulledCount) = (.now, 0, pulledCount + 1)
    if pulledCount == Self.pullCountMax { try askForMore() }
    switch held.take(delivery, at: .now) {
    case .new(let number): return .delivery(number, bytes: delivery.bytes)
    case .known, .stranger: return nil
    case .gap: throw .line(reason: "deliveries were lost on the way: they are fetched again")
    }
  }

  private func take(_ status: Int, _ reason: String) throws(NATSError) {
    switch status {
    case 100: (lastHeard, missedCount) = (.now, 0)
    // The pull has ended by its own time.
    case 404, 408:
      missedCount = 0
      try askForMore()
    case 409 where reason.contains("Leadership"): try pull()
    case 503: throw .line(reason: "our consumer is gone")
    default: throw .line(reason: "the server has ended our pull: \(status) \(reason)")
    }
  }

  /// A consumer whose leader is new knows nothing of it.
  private func lookAfterPull() throws(NATSError) {
    guard inbox != nil, lastHeard + Self.heartbeat * 2 + .seconds(1) <= .now else { return }
    missedCount += 1
    guard missedCount < 3 else { throw .line(reason: "our consumer does not answer") }
    try pull()
  }
}
