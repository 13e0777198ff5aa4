import BrokerCarrier
import CarrierProtocol
import Host
import IronMQ
import MessageFormat
import Threads

/// Mailboxes as queues. Belongs to one thread; three others make the requests that may wait.
final class IronMQQueues: BrokerConnection {
  /// How long an orderly end may take.
  private static let closingTime: Duration = .seconds(3)

  private let place: String
  private let queue: QueueName
  private let partByteCountMax: Int
  private let quietTime: Duration
  let disorderEnd: ContinuousClock.Instant?
  private let traffic: IronMQTraffic
  /// For acknowledgements and questions; and for what is cut off at the end.
  private let client: IronMQClient
  private let waitingClient: IronMQClient
  private let failed: (any Error) -> Void
  private let left: ([ReservedMessage]) -> Void
  private let hasSettled = Bell()
  private var threads: [LoopThread] = []
  private var settling: LoopThread?
  private var publishedCount: UInt64 = 0

  /// `failed`: is told why the connection ended. `left`: what is reserved and could not be given back.
  init(
    of mailbox: Mailbox, at place: String, _ plan: IronMQPlan, _ client: IronMQClient, _ bell: Bell,
    _ reservation: ReservationTimes, failed: @escaping (any Error) -> Void,
    left: @escaping ([ReservedMessage]) -> Void
  ) throws {
    self.left = left
    (self.place, queue, self.client, self.failed) = (place, mailbox.ironQueue, client, failed)
    traffic = IronMQTraffic(bell)
    waitingClient = try plan.client()
    let requestByteCount = plan.requestSize.rawValue
    partByteCountMax = PostBatch.contentByteCountMax(requestByteCount: requestByteCount)
    // By then every reservation has ended.
    quietTime = .seconds(reservation.seconds + 5)
    disorderEnd = .now + reservation.disorder
    func worker(_ client: IronMQClient) -> IronMQWorker {
      IronMQWorker(
        traffic: traffic, client: client, queue: queue, deadQueue: mailbox.ironDeadQueue)
    }
    let (waiting, asking, hasSettled) = (worker(waitingClient), worker(client), hasSettled)
    do {
      threads.append(
        try LoopThread { waiting.publish(requestByteCount: requestByteCount) })
      threads.append(try LoopThread { waiting.receive(reservation) })
      settling = try LoopThread {
        asking.settle(reservation)
        hasSettled.ring()
      }
    } catch {
      close()
      throw error
    }
  }

  func publish(
    _ message: BrokerMessage, into mailbox: Mailbox, lifetime: Duration?
  ) throws(CarrierError) {
    // IronMQ's messages have no lifetime of their own: that of the queue holds.
    publishedCount += 1
    let parts = BrokerPart.split(message.encoded(), byteCountMax: partByteCountMax)
    traffic.publish(
      Publication(number: publishedCount, queue: mailbox.ironQueue, parts: parts[...]))
  }

  func consume(prefetch: UInt16) throws(CarrierError) { traffic.consume(prefetch: Int(prefetch)) }

  func cancel() throws(CarrierError) { traffic.cancel() }

  func acknowledge(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    traffic.acknowledge(deliveries)
  }

  func reject(_ deliveries: [DeliveryTag]) throws(CarrierError) { traffic.reject(deliveries) }

  func waitingCount() throws(CarrierError) -> UInt64 {
    do {
      let size = try IronMQAnswer.queue(try client.send(.queueInfo(queue))).size
      // What others have posted with a delay counts, and does not come.
      return traffic.isQuiet(for: quietTime) ? 0 : size
    } catch {
      throw failure(error)
    }
  }

  func next(until end: ContinuousClock.Instant) throws(CarrierError) -> BrokerEvent? {
    do {
      if let event = try traffic.nextEvent() { return event }
      guard end > .now else { return nil }
      traffic.bell.wait(until: end)
      return try traffic.nextEvent()
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: any Error) -> CarrierError {
    traffic.fail(error)
    failed(error)
    return .faulty(endpoint: place, error)
  }

  func close() {
    traffic.close(givingBack: isListenedTo)
    waitingClient.stop()
    for thread in threads { thread.join() }
    if settling != nil { hasSettled.wait(for: Self.closingTime) }
    client.stop()
    settling?.join()
    (threads, settling) = ([], nil)
    left(traffic.leftovers)
  }

  /// Whether a last word to IronMQ may be of use.
  private var isListenedTo: Bool {
    switch traffic.failure as? IronMQError {
    case .paused?, .unauthorized?, .web(.unreachable)?: false
    default: true
    }
  }
}
