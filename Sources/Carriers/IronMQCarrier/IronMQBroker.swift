package import BrokerCarrier
package import CarrierProtocol
import Host
import IronMQ
package import MessageFormat
import Synchronization

/// A project at an IronMQ, version 3 of its API.
package final class IronMQBroker: Broker {
  /// A pause that IronMQ asks for is never longer, whatever it says.
  private static let pauseMax: Duration = .seconds(3_600)

  private let plan: IronMQPlan
  private let reservation: ReservationTimes
  private let bell = Bell()
  /// What an earlier connection had reserved and could not give back: else what comes behind it would come first.
  private let leftovers = Mutex<[ReservedMessage]>([])
  private let pause = Mutex<(end: ContinuousClock.Instant, status: Int)?>(nil)

  package init(_ plan: IronMQPlan, reservation: ReservationTimes = ReservationTimes()) {
    (self.plan, self.reservation) = (plan, reservation)
  }

  package var place: String { plan.place }

  package func wake() { bell.ring() }

  package func wait(until end: ContinuousClock.Instant) { bell.wait(until: end) }

  package func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection {
    do {
      if let (end, status) = pause.withLock({ $0 }), end > .now {
        throw IronMQError.paused(status: status, seconds: nil)
      }
      let client = try plan.client()
      try Self.provideQueue(mailbox.ironQueue, client)
      try giveBack(to: mailbox.ironQueue, client)
      return try IronMQQueues(
        of: mailbox, at: place, plan, client, bell, reservation,
        failed: { [weak self] in self?.note($0) },
        left: { [weak self] messages in self?.leftovers.withLock { $0 += messages } })
    } catch {
      note(error)
      throw .faulty(endpoint: place, error)
    }
  }

  /// What is there may have been made otherwise, by somebody who knows more: it is taken as it is.
  private static func provideQueue(_ name: QueueName, _ client: IronMQClient) throws {
    do {
      let queue = try IronMQAnswer.queue(try client.send(.queueInfo(name)))
      guard queue.type == "pull" else {
        throw IronMQError.pushQueue(name: name.text, type: queue.type)
      }
    } catch IronMQError.missing {
      _ = try client.send(.createQueue(name, QueueSettings()))
    }
  }

  /// The last one first: IronMQ puts what is released in front of the queue.
  private func giveBack(to queue: QueueName, _ client: IronMQClient) throws {
    while let message = leftovers.withLock({ $0.last }) {
      do {
        _ = try client.send(.release(message, in: queue))
      } catch let error as IronMQError where error.isLostReservation {
        // It is in the queue by itself, or gone.
      }
      leftovers.withLock { _ = $0.popLast() }
    }
  }

  /// Nothing is asked of IronMQ before the pause has ended that it asks for.
  private func note(_ error: any Error) {
    guard case IronMQError.paused(let status, let seconds?) = error else { return }
    let length = min(.seconds(max(0, min(seconds, 1e6))), Self.pauseMax)
    pause.withLock { $0 = (.now + length, status) }
  }
}

/// How long a message is ours that we have reserved.
package struct ReservationTimes: Sendable {
  /// A program that ends in the middle keeps its messages from its next run for so long.
  package var seconds = 60
  /// What takes longer is reserved anew so often.
  package var renewal: Duration = .seconds(25)
  /// A long poll ends after so long without messages.
  package var waitSeconds = 30
  /// So long after a connection has begun an earlier one's messages may be reserved: those that a killed program had, or
  /// that a poll which was cut has got since.
  package var disorder: Duration = .seconds(90)
  /// A part whose others do not come in that time will not be whole: they are posted one behind the other.
  package var partPatience: Duration = .seconds(600)

  package init() {}
}
