import Diagnostics
import IronMQ
import IronMQCarrier
import MessageFormat
import Sodium

/// An IronMQ: whether it is there, takes the token, has our queue and those of our readers, and takes requests of the size
/// that we make.
struct IronMQChecks {
  /// What a machine that is off can rely on.
  private static let expirationSecondsMin: UInt64 = 604_800

  let plan: IronMQPlan
  let identity: Identity
  /// Whose mailboxes we put something into by way of it.
  let readers: [PublicIdentity]

  func run(_ examination: inout Examination) {
    do {
      let client = try plan.client()
      let own = try queue(identity.public.mailbox.ironQueue, client)
      examination.ok(.carrier, plan.place, "is there, and takes the token")
      report(own, &examination)
      var known: QueueName? = own == nil ? nil : identity.public.mailbox.ironQueue
      for reader in readers {
        let isThere = try check(reader, client, &examination)
        if isThere, known == nil { known = reader.mailbox.ironQueue }
      }
      // A queue that is missing would be the answer, whatever the size.
      if let known { try checkSize(known, client, &examination) }
    } catch {
      examination.fail(.carrier, plan.place, error)
    }
  }

  /// `nil`: the queue does not exist.
  private func queue(_ name: QueueName, _ client: IronMQClient) throws -> QueueInfo? {
    do {
      return try IronMQAnswer.queue(try client.send(.queueInfo(name)))
    } catch IronMQError.missing {
      return nil
    }
  }

  private func report(_ own: QueueInfo?, _ examination: inout Examination) {
    let name = identity.public.mailbox.ironQueue
    let subject = "\(name) at \(plan.place)"
    guard let own else {
      return examination.warn(
        .carrier, subject, "is not there: our daemon makes it when it connects",
        do: "start the daemon; where no queue of the project is found, check 'project:'")
    }
    guard own.type == "pull" else {
      let error = IronMQError.pushQueue(name: name.text, type: own.type)
      return examination.fail(.carrier, subject, error)
    }
    let seconds = own.expirationSeconds ?? Self.expirationSecondsMin
    guard seconds >= Self.expirationSecondsMin else {
      return examination.warn(
        .carrier, subject, "forgets messages after \(seconds) s",
        do: "set its message_expiration to 604800 (7 days) or more; 2592000 is the most")
    }
    examination.ok(
      .carrier, subject,
      "is a pull queue that keeps messages for \(seconds / 86_400) days; \(own.size) messages wait")
  }

  private func check(
    _ reader: PublicIdentity, _ client: IronMQClient, _ examination: inout Examination
  ) throws -> Bool {
    let subject = "\(reader.name) by way of \(plan.place)"
    guard try queue(reader.mailbox.ironQueue, client) != nil else {
      examination.fail(
        .trust, subject, "unknown-mailbox: there is no queue \(reader.mailbox.ironQueue)",
        do: "start the daemon of \(reader.name): it makes its queue")
      return false
    }
    examination.ok(.trust, subject, "its queue is there")
    return true
  }

  /// Asks for nothing to be put there, in a request of the full size.
  private func checkSize(
    _ queue: QueueName, _ client: IronMQClient, _ examination: inout Examination
  ) throws {
    let byteCount = plan.requestSize.rawValue
    do {
      let nothing = byteCount - PostBatch.headByteCount
      _ = try client.send(.postNothing(byteCount: nothing, into: queue))
    } catch IronMQError.requestTooLarge {
      return examination.fail(
        .carrier, plan.place, "takes no request of \(byteCount) bytes (413)",
        do: IronMQError.requestTooLarge(byteCount: byteCount).hint)
    } catch IronMQError.status(400, _) {
      // A list of no messages is not taken, as it should be: the size was.
    }
    examination.ok(.carrier, plan.place, "takes requests of \(byteCount) bytes")
  }
}
