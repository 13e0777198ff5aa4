import Host
import IronMQ
import MessageFormat

/// The requests of a connection, each kind on a thread of its own: a long poll holds up nothing.
struct IronMQWorker: Sendable {
  let traffic: IronMQTraffic
  let client: IronMQClient
  let queue: QueueName
  let deadQueue: QueueName

  /// Ends the connection where something fails.
  private func failing(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      traffic.fail(error)
    }
  }

  // MARK: - Out

  /// Posts what waits, request by request, until the connection is over.
  func publish(requestByteCount: Int) {
    failing {
      while let batch = traffic.nextBatch(requestByteCount: requestByteCount) {
        try post(batch)
      }
    }
  }

  private func post(_ batch: PublicationBatch) throws {
    do {
      let answer = try client.send(.post(batch.content, into: batch.queue))
      guard try IronMQAnswer.posted(answer) == batch.content.contents.count else {
        throw IronMQError.invalidAnswer(reason: "another number of messages than were posted")
      }
      traffic.posted(batch)
    } catch IronMQError.missing {
      traffic.refused(batch, .unknownMailbox, "there is no queue for it", wholeQueue: true)
    } catch let error as IronMQError {
      switch error {
      case .requestTooLarge where batch.counts.count > 1,
        .status(400, _) where batch.counts.count > 1:
        traffic.separate(batch)
      case .requestTooLarge:
        let hint = error.hint ?? ""
        traffic.refused(batch, .overLimit, "\(error): \(hint)", wholeQueue: false)
      case .status(400, _): traffic.refused(batch, .malformed, "\(error)", wholeQueue: false)
      default: throw error
      }
    }
  }

  // MARK: - In

  /// Reserves messages as long as there is room for them, until the connection is over.
  func receive(_ reservation: ReservationTimes) {
    failing {
      var size = ReservationSize()
      while let room = traffic.nextRoom() {
        let begin = ContinuousClock.now
        let reserving = Reserving(
          count: min(size.count, room), timeoutSeconds: reservation.seconds,
          waitSeconds: reservation.waitSeconds)
        do {
          let answer = try client.send(.reserve(reserving, from: queue))
          let messages = try IronMQAnswer.reserved(answer)
          size.received(messages.count, of: reserving.count, byteCount: answer.count)
          traffic.received(messages, since: begin, partPatience: reservation.partPatience)
        } catch IronMQError.web(.tooLarge) {
          // Theirs is the smallest that there can be: one message alone always fits.
          guard reserving.count > 1 else { throw IronMQError.invalidAnswer(reason: "too long") }
          size.wasTooLarge(reserving.count)
        }
      }
    }
  }

  // MARK: - Acknowledgements

  /// Deletes what is acknowledged, keeps what is not, until the connection is over and all is told.
  func settle(_ reservation: ReservationTimes) {
    while true {
      do {
        while let settlement = traffic.nextSettlement(renewal: reservation.renewal) {
          try settle(settlement, reservation)
        }
        return
      } catch {
        // What is to be given back still can be, once, when the connection is closed.
        guard traffic.fail(error) else { return }
      }
    }
  }

  private func settle(
    _ settlement: IronMQTraffic.Settlement, _ reservation: ReservationTimes
  ) throws {
    switch settlement {
    case .delete(let numbers, let batch):
      try delete(batch)
      traffic.settled(numbers)
    case .reject(let number, let message):
      try putAside(message)
      traffic.settled([number])
    case .release(let number, let message):
      try unlessLost { _ = try client.send(.release(message, in: queue)) }
      traffic.settled([number])
    case .renew(let number, let message):
      let begin = ContinuousClock.now
      var renewed: ReservedMessage?
      try unlessLost {
        let request = IronMQRequest.touch(message, seconds: reservation.seconds, in: queue)
        renewed = try IronMQAnswer.touched(message, try client.send(request))
      }
      traffic.renewed(number, as: renewed, at: begin)
    }
  }

  /// A reservation that has ended is no fault: the message comes again, and is known then.
  @discardableResult
  private func unlessLost(_ body: () throws -> Void) throws -> Bool {
    do {
      try body()
      return true
    } catch let error as IronMQError where error.isLostReservation {
      return false
    }
  }

  private func delete(_ batch: ReservedBatch) throws {
    let isDone = try unlessLost { _ = try client.send(.deleteAll(batch, from: queue)) }
    guard !isDone else { return }
    // One of them was lost, and which of the others are gone is not said.
    for message in batch.messages {
      try unlessLost { _ = try client.send(.delete(message, from: queue)) }
    }
  }

  /// IronMQ has no word for it: a copy goes to a queue of its own, which expires like any other.
  private func putAside(_ message: ReservedMessage) throws {
    try unlessLost {
      let body = try IronMQAnswer.body(try client.send(.message(message, in: queue)))
      try copy(body)
    }
    try unlessLost { _ = try client.send(.delete(message, from: queue)) }
  }

  private func copy(_ body: String) throws {
    do {
      let waiting = try IronMQAnswer.queue(try client.send(.queueInfo(deadQueue))).size
      guard waiting < Self.deadCountMax else { return }
    } catch IronMQError.missing {
      _ = try client.send(.createQueue(deadQueue, QueueSettings()))
    }
    do {
      _ = try client.send(.postCopy(body, into: deadQueue))
    } catch IronMQError.requestTooLarge, IronMQError.status(400, _) {
      // Somebody may do more than we: it is not kept.
    }
  }

  /// Further ones are deleted: strangers fill no queue without end.
  private static let deadCountMax: UInt64 = 1_000
}

/// How many messages are reserved at once: an answer is to be neither a hundred large messages, nor a single small one.
struct ReservationSize {
  private static let first = 16
  private static let wanted = 1 << 20

  private(set) var count = first

  mutating func received(_ messages: Int, of asked: Int, byteCount: Int) {
    if byteCount > 2 * Self.wanted {
      count = max(1, count / 2)
    } else if messages == asked, byteCount < Self.wanted / 2 {
      count = min(Reserving.countMax, count * 2)
    }
  }

  mutating func wasTooLarge(_ asked: Int) { count = max(1, asked / 2) }
}
