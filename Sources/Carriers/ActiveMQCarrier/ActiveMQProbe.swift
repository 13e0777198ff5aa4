import Host
package import MessageFormat
package import STOMP

/// What a broker lets us do, found out without taking or leaving a message. Belongs to one thread.
package final class ActiveMQProbe {
  package enum Look {
    case empty
    case somethingWaits
    /// It cannot say.
    case unknown
    case refused(PublicationRefusal)
  }

  private static let answerMax: Duration = .seconds(10)

  private let line: STOMPConnection
  private let bell = Bell()
  private var count = 0

  /// Throws `STOMPError` and `SecretFileError`.
  package init(_ plan: ActiveMQPlan) throws {
    line = try ActiveMQBroker(plan).login(ringing: bell)
  }

  package var server: String { line.server }

  /// Into the queue of a mailbox whose messages we may read.
  package func look(into mailbox: Mailbox) throws(STOMPError) -> Look {
    guard QueueFrames.canBrowse(server) else { return .unknown }
    let id = nextID()
    try line.send([QueueFrames.browsing(id, mailbox)])
    let answer = try awaitFrame {
      $0["subscription"] == id || $0.command == "ERROR" && $0["receipt-id"] == id
    }
    guard answer.command == "MESSAGE" else { return .refused(PublicationRefusal(answer)) }
    try line.send([QueueFrames.unsubscription(id)])
    return QueueFrames.isEndOfBrowsing(answer) ? .empty : .somethingWaits
  }

  /// Whether a message of the greatest size would be taken; `nil`: it would. A queue that we may make is there then.
  package func tryPublishing(into mailbox: Mailbox) throws(STOMPError) -> PublicationRefusal? {
    let id = nextID()
    try line.send(QueueFrames.trial(into: mailbox, id))
    let answer = try awaitFrame {
      $0["receipt-id"] == "abort-\(id)" || $0.command == "ERROR" && $0["receipt-id"] == "send-\(id)"
    }
    return answer.command == "ERROR" ? PublicationRefusal(answer) : nil
  }

  private func nextID() -> String {
    count += 1
    return "probe-\(count)"
  }

  private func awaitFrame(_ isAnswer: (STOMPFrame) -> Bool) throws(STOMPError) -> STOMPFrame {
    let end = ContinuousClock.now + Self.answerMax
    while end > .now {
      guard let frame = try line.next() else {
        bell.wait(until: end)
        continue
      }
      if isAnswer(frame) { return frame }
    }
    throw .line(reason: "no answer within \(Self.answerMax)")
  }

  package func close() { line.close(inOrder: true) }
}
