import Diagnostics
import MessageFormat
import RabbitMQ
import RabbitMQCarrier
import Sodium
import Threads

/// A broker: whether it is there, lets us in, has our queue and those of our readers, and takes what we publish.
struct RabbitMQChecks {
  private static let timeout: Duration = .seconds(5)
  /// No mailbox has that name: what is published to it comes back.
  private static let nobodysQueue = "distro.doctor"

  let plan: RabbitMQPlan
  let identity: Identity
  /// Whose mailboxes we put something into by way of it.
  let readers: [PublicIdentity]

  func run(_ examination: inout Examination) {
    let lines = plan.address.nodes.compactMap { login(at: $0, &examination) }
    defer { for line in lines { line.close(inOrder: true) } }
    // Each node answers for all.
    guard let line = lines.first else { return }
    do {
      try checkQueue(line, &examination)
      for reader in readers { try check(reader, line, &examination) }
      try checkPublishing(line, &examination)
    } catch {
      report(error, at: plan.place, &examination)
    }
  }

  /// `nil`: it does not let us in.
  private func login(
    at node: RabbitMQAddress.Node, _ examination: inout Examination
  ) -> RabbitMQConnection? {
    let place = plan.address.nodes.count == 1 ? plan.place : "\(node.host):\(node.port)"
    do {
      let line = try RabbitMQBroker(plan).login(at: node)
      examination.ok(.carrier, place, "is there, and lets us in")
      return line
    } catch {
      report(error, at: place, &examination)
      return nil
    }
  }

  private func report(_ error: any Error, at place: String, _ examination: inout Examination) {
    switch error {
    case let error as RabbitMQError:
      examination.fail(.carrier, place, error.description, do: advice(on: error))
    case let error as any OperatorError:
      examination.fail(.carrier, place, "\(error)", do: error.hint)
    default: examination.fail(.carrier, place, error)
    }
  }

  private func advice(on error: RabbitMQError) -> String? {
    guard case .login = error else { return error.hint }
    return """
      on the broker: rabbitmqctl add_user \(plan.address.user) PASSWORD; \(permissions); \
      then put the password into 'password-file:'
      """
  }

  /// The least that suffices: our own queue, and publishing.
  private var permissions: String {
    let name = identity.public.mailbox.queueName.replacing(".", with: #"\."#)
    return """
      rabbitmqctl set_permissions -p \(plan.address.virtualHost) \(plan.address.user) \
      '^\(name)(\\.dead)?$' '^amq\\.default$' '^\(name)$'
      """
  }

  private func checkQueue(
    _ line: RabbitMQConnection, _ examination: inout Examination
  ) throws(RabbitMQError) {
    let mailbox = identity.public.mailbox
    let subject = "\(mailbox.queueName) at \(plan.place)"
    guard let count = try line.waitingCount(in: mailbox.queueName) else {
      return examination.warn(
        .carrier, subject, "is not there: our daemon makes it when it connects",
        do: "start the daemon; where its user may not, on the broker: \(permissions)")
    }
    do throws(RabbitMQError) {
      // Of a queue that is there, that only compares.
      try line.declare(mailbox.queueName, deadName: mailbox.deadQueueName)
    } catch {
      return try report(error, on: subject, count, &examination)
    }
    examination.ok(.carrier, subject, "is a durable quorum queue; \(count) messages wait")
  }

  /// Our queue is there, and could not be compared, or is another one.
  private func report(
    _ error: RabbitMQError, on subject: String, _ count: UInt32, _ examination: inout Examination
  ) throws(RabbitMQError) {
    guard case .closed(let code, let reason) = error, [403, 406].contains(code) else { throw error }
    guard code == 406 else {
      return examination.ok(
        .carrier, subject,
        "is there; \(count) messages wait. Whether it is durable, its owner knows")
    }
    examination.warn(
      .carrier, subject, "is another queue than distro makes: \(reason)",
      do:
        "see that it is durable; a queue that distro made is: delete it when it is empty, and start the daemon"
    )
  }

  private func check(
    _ reader: PublicIdentity, _ line: RabbitMQConnection, _ examination: inout Examination
  ) throws(RabbitMQError) {
    let subject = "\(reader.name) by way of \(plan.place)"
    guard try line.waitingCount(in: reader.mailbox.queueName) == nil else {
      return examination.ok(.trust, subject, "its queue is there")
    }
    examination.fail(
      .trust, subject, "unknown-mailbox: there is no queue \(reader.mailbox.queueName)",
      do: "start the daemon of \(reader.name): it makes its queue")
  }

  private func checkPublishing(
    _ line: RabbitMQConnection, _ examination: inout Examination
  ) throws {
    try line.beginPublishing()
    let wakeUp = try WakeUp()
    let end = ContinuousClock.now + Self.timeout
    do throws(RabbitMQError) {
      try line.publish([], to: Self.nobodysQueue)
      while let event = try line.next(until: end, unless: wakeUp) {
        if case .returned = event {
          return examination.ok(.trust, plan.place, "takes what we publish")
        }
      }
    } catch {
      guard case .closed(403, let reason) = error else { throw error }
      return examination.fail(
        .trust, plan.place, "does not take what we publish: \(reason)",
        do: "on the broker: \(permissions)")
    }
    examination.fail(
      .carrier, plan.place, "connected, but silent for \(Self.timeout)",
      do: "read the broker's log: its disk or memory may be short (rabbitmqctl status)")
  }
}
