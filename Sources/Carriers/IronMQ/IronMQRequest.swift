package import WebClient

/// What is asked of IronMQ, as its documentation of version 3 has it: a value without connection and token.
package enum IronMQRequest: Sendable, Equatable {
  case queueInfo(QueueName)
  /// Makes it, or changes nothing but its settings.
  case createQueue(QueueName, QueueSettings)
  case deleteQueue(QueueName)
  case post(PostBatch, into: QueueName)
  case reserve(Reserving, from: QueueName)
  case touch(ReservedMessage, seconds: Int, in: QueueName)
  case release(ReservedMessage, in: QueueName)
  case delete(ReservedMessage, from: QueueName)
  case deleteAll(ReservedBatch, from: QueueName)
  case message(ReservedMessage, in: QueueName)
  /// Puts the body of somebody else's message on a queue as it is.
  case postCopy(String, into: QueueName)
  /// Puts nothing anywhere: a list of no messages, in a body of so many bytes.
  case postNothing(byteCount: Int, into: QueueName)

  package var method: WebRequest.Method {
    switch self {
    case .queueInfo, .message: .get
    case .createQueue: .put
    case .deleteQueue, .delete, .deleteAll: .delete
    case .post, .postCopy, .postNothing, .reserve, .touch, .release: .post
    }
  }

  /// Below the project.
  package var path: String {
    switch self {
    case .queueInfo(let queue), .createQueue(let queue, _), .deleteQueue(let queue): queue.path
    case .post(_, let queue), .postCopy(_, let queue), .postNothing(_, let queue):
      queue.path + "/messages"
    case .reserve(_, let queue): queue.path + "/reservations"
    case .touch(let message, _, let queue): "\(queue.path)/messages/\(message.id)/touch"
    case .release(let message, let queue): "\(queue.path)/messages/\(message.id)/release"
    case .delete(let message, let queue), .message(let message, let queue):
      "\(queue.path)/messages/\(message.id)"
    case .deleteAll(_, let queue): queue.path + "/messages"
    }
  }

  /// As JSON has it.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\u{20}"..<"\u{7f}": quoted.unicodeScalars.append(scalar)
      default:
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      }
    }
    return quoted + "\""
  }

  /// Written by hand: all that comes in are names and Base64, which are themselves in JSON.
  package var body: [UInt8]? {
    switch self {
    case .queueInfo, .deleteQueue, .message: nil
    case .createQueue(_, let settings):
      Array(
        """
        {"queue":{"message_timeout":\(settings.timeoutSeconds),\
        "message_expiration":\(settings.expirationSeconds),"type":"pull"}}
        """.utf8)
    case .post(let batch, _): batch.encoded()
    case .reserve(let reserving, _):
      Array(
        """
        {"n":\(reserving.count),"timeout":\(reserving.timeoutSeconds),\
        "wait":\(reserving.waitSeconds),"delete":false}
        """.utf8)
    case .touch(let message, let seconds, _):
      Array(#"{"reservation_id":"\#(message.reservation)","timeout":\#(seconds)}"#.utf8)
    case .release(let message, _), .delete(let message, _):
      Array(#"{"reservation_id":"\#(message.reservation)"}"#.utf8)
    case .deleteAll(let batch, _): batch.encoded()
    case .postCopy(let text, _): Array(#"{"messages":[{"body":\#(Self.quoted(text))}]}"#.utf8)
    case .postNothing(let byteCount, _):
      Array(#"{"messages":["#.utf8)
        + [UInt8](repeating: UInt8(ascii: " "), count: max(0, byteCount - 15)) + Array("]}".utf8)
    }
  }

  /// How long IronMQ may think about it, besides what the line takes.
  var waitSeconds: Int {
    if case .reserve(let reserving, _) = self { reserving.waitSeconds } else { 0 }
  }
}

/// Letters, digits, `-` and `_`: nothing that a URL, or IronMQ, would read otherwise.
package struct QueueName: Sendable, Hashable, CustomStringConvertible {
  package let text: String

  package init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 200, text.utf8.allSatisfy(\.isOfName) else {
      return nil
    }
    self.text = text
  }

  package var description: String { text }
  var path: String { "/queues/\(text)" }
}

package struct QueueSettings: Sendable, Equatable {
  /// Of a reservation that names none.
  package var timeoutSeconds = 60
  /// Seven days, IronMQ's own; 30 are the most.
  package var expirationSeconds = 604_800

  package init() {}
}

package struct Reserving: Sendable, Equatable {
  package static let countMax = 100
  package static let timeoutSecondsRange = 30...86_400
  package static let waitSecondsMax = 30

  package let count: Int
  package let timeoutSeconds: Int
  package let waitSeconds: Int

  package init(count: Int, timeoutSeconds: Int, waitSeconds: Int) {
    precondition((1...Self.countMax).contains(count))
    precondition(Self.timeoutSecondsRange.contains(timeoutSeconds))
    precondition((0...Self.waitSecondsMax).contains(waitSeconds))
    (self.count, self.timeoutSeconds, self.waitSeconds) = (count, timeoutSeconds, waitSeconds)
  }
}

/// By which a message is named that we have reserved: its own id, and the reservation's, which each touch changes.
package struct ReservedMessage: Sendable, Hashable {
  package let id: String
  package let reservation: String

  /// `nil`: of other characters than IronMQ's ids have, which would have to be escaped.
  package init?(id: String, reservation: String) {
    let plain = reservation.utf8.allSatisfy {
      0x20..<0x7f ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    guard (1...256).contains(id.utf8.count), id.utf8.allSatisfy(\.isOfName),
      (1...256).contains(reservation.utf8.count), plain
    else { return nil }
    (self.id, self.reservation) = (id, reservation)
  }

  package func touched(_ reservation: String) -> ReservedMessage? {
    ReservedMessage(id: id, reservation: reservation)
  }
}

/// Messages to delete: never none, as IronMQ takes a list of none for the word to clear the queue.
package struct ReservedBatch: Sendable, Equatable {
  package static let countMax = 100

  package let messages: [ReservedMessage]

  /// `nil`: none, or too many.
  package init?(_ messages: some Sequence<ReservedMessage>) {
    self.messages = Array(messages)
    guard (1...Self.countMax).contains(self.messages.count) else { return nil }
  }

  func encoded() -> [UInt8] {
    let ids = messages.map { #"{"id":"\#($0.id)","reservation_id":"\#($0.reservation)"}"# }
    return Array(#"{"ids":[\#(ids.joined(separator: ","))]}"#.utf8)
  }
}
