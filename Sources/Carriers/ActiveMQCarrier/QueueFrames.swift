package import MessageFormat
package import STOMP

extension Mailbox {
  /// Its queue as STOMP addresses it.
  package var destination: String { "/queue/\(queueName)" }
}

/// What frames ask a broker for queues: the one place that knows which headers are whose.
package enum QueueFrames {
  /// The header `server:` of a RabbitMQ begins so.
  private static let rabbit = "RabbitMQ/"

  /// Whether the broker can say what is in a queue, by a subscription that takes nothing out of it.
  package static func canBrowse(_ server: String) -> Bool { server.hasPrefix("ActiveMQ/") }

  /// Answered by a RECEIPT once the broker has it on its disk.
  package static func publication(
    _ message: [UInt8], number: UInt64, into mailbox: Mailbox, expiring: Expiry? = nil,
    at server: String
  ) -> STOMPFrame {
    var headers: [STOMPFrame.Header] = [
      ("destination", mailbox.destination), ("persistent", "true"), ("receipt", "\(number)"),
    ]
    if server.hasPrefix(rabbit) {
      headers.append(quorum)
      if let expiring { headers.append(("expiration", "\(expiring.milliseconds)")) }
    } else if let expiring {
      headers.append(("expires", "\(expiring.end)"))
    }
    return STOMPFrame("SEND", headers, body: message)
  }

  /// Both kinds of broker deliver so many without an acknowledgement; each knows its own header.
  package static func subscription(
    _ id: String, to mailbox: Mailbox, prefetch: UInt16, receipt: String, at server: String
  ) -> STOMPFrame {
    var headers: [STOMPFrame.Header] = [
      ("id", id), ("destination", mailbox.destination), ("ack", "client-individual"),
      ("activemq.prefetchSize", "\(prefetch)"), ("prefetch-count", "\(prefetch)"),
      ("receipt", receipt),
    ]
    if server.hasPrefix(rabbit) { headers.append(quorum) }
    return STOMPFrame("SUBSCRIBE", headers)
  }

  /// Delivers what is in the queue and takes nothing out; behind the last comes a MESSAGE with `browser:end`.
  package static func browsing(_ id: String, _ mailbox: Mailbox) -> STOMPFrame {
    STOMPFrame(
      "SUBSCRIBE",
      [
        ("id", id), ("destination", mailbox.destination), ("ack", "client"), ("browser", "true"),
        ("activemq.prefetchSize", "1"), ("receipt", id),
      ])
  }

  /// A stranger's message may say the same in a header of its own, and has what an acknowledgement would name.
  package static func isEndOfBrowsing(_ frame: STOMPFrame) -> Bool {
    frame["browser"] == "end" && frame["ack"] == nil
  }

  package static func unsubscription(_ id: String) -> STOMPFrame {
    STOMPFrame("UNSUBSCRIBE", [("id", id)])
  }

  /// A message of the greatest size that the broker checks as any other, and nobody gets: it is in a transaction that ends
  /// without it. The last of the frames is answered by a RECEIPT.
  package static func trial(into mailbox: Mailbox, _ id: String) -> [STOMPFrame] {
    let transaction: STOMPFrame.Header = ("transaction", id)
    return [
      STOMPFrame("BEGIN", [transaction]),
      STOMPFrame(
        "SEND",
        [
          ("destination", mailbox.destination), ("persistent", "true"), ("receipt", "send-\(id)"),
          transaction,
        ], body: [UInt8](repeating: 0, count: Limits.brokerMessageByteCountMax)),
      STOMPFrame("ABORT", [transaction, ("receipt", "abort-\(id)")]),
    ]
  }

  static func acknowledgement(_ id: String) -> STOMPFrame { STOMPFrame("ACK", [("id", id)]) }

  /// Of the queues that it makes.
  private static let quorum: STOMPFrame.Header = ("x-queue-type", "quorum")

  /// When a broker may forget a message: ActiveMQ wants an instant of the wall clock, RabbitMQ a duration.
  package struct Expiry {
    package let milliseconds: UInt64
    package let end: UInt64

    package init(after lifetime: Duration, from now: UInt64) {
      milliseconds = UInt64(lifetime / .milliseconds(1))
      end = now + milliseconds
    }
  }
}
