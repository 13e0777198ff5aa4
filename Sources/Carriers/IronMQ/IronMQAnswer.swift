import Foundation

/// A message that a reservation brought. `content`: `nil` where its body is not Base64.
package struct DeliveredMessage: Sendable, Equatable {
  package let reserved: ReservedMessage
  package let content: [UInt8]?

  package init(_ reserved: ReservedMessage, content: [UInt8]?) {
    (self.reserved, self.content) = (reserved, content)
  }
}

package struct QueueInfo: Sendable, Equatable {
  /// Messages in the queue, those that are reserved included.
  package let size: UInt64
  /// `pull`; others push to somebody.
  package let type: String
  /// `nil`: it does not say.
  package let expirationSeconds: UInt64?
}

/// What a body of an answer means. Whatever IronMQ says is checked before it is used: ids become parts of URLs.
package enum IronMQAnswer {
  /// How many messages were put on the queue.
  package static func posted(_ body: [UInt8]) throws(IronMQError) -> Int {
    try decoded(Posted.self, body).ids.count
  }

  package static func reserved(_ body: [UInt8]) throws(IronMQError) -> [DeliveredMessage] {
    var messages: [DeliveredMessage] = []
    for message in try decoded(Messages.self, body).messages {
      let ids = ReservedMessage(id: message.id.text, reservation: message.reservation.text)
      guard let ids else { throw .invalidAnswer(reason: "an id that cannot be used") }
      let content = Data(base64Encoded: message.body).map { Array($0) }
      messages.append(DeliveredMessage(ids, content: content))
    }
    return messages
  }

  /// The body of one message, as it was posted.
  package static func body(_ body: [UInt8]) throws(IronMQError) -> String {
    try decoded(Single.self, body).message.body
  }

  package static func touched(
    _ message: ReservedMessage, _ body: [UInt8]
  ) throws(IronMQError) -> ReservedMessage {
    // A server that names none has left the old one.
    guard let id = try decoded(Touched.self, body).reservation else { return message }
    guard let touched = message.touched(id.text) else {
      throw .invalidAnswer(reason: "a reservation whose id cannot be used")
    }
    return touched
  }

  package static func queue(_ body: [UInt8]) throws(IronMQError) -> QueueInfo {
    let queue = try decoded(Queue.self, body).queue
    return QueueInfo(
      size: queue.size ?? 0, type: queue.type ?? "pull",
      expirationSeconds: queue.expiration)
  }

  /// What IronMQ says to people, cut short; empty: nothing.
  static func message(_ body: [UInt8]) -> String {
    do throws(IronMQError) {
      return try decoded(Said.self, body).msg ?? ""
    } catch {
      return ""
    }
  }

  private static func decoded<Value: Decodable>(
    _ type: Value.Type, _ body: [UInt8]
  ) throws(IronMQError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(body))
    } catch {
      throw .invalidAnswer(reason: "it is not the JSON that was expected")
    }
  }

  private struct Posted: Decodable { let ids: [Identifier] }
  private struct Messages: Decodable { let messages: [Message] }
  private struct Message: Decodable {
    let id: Identifier
    let body: String
    let reservation: Identifier

    enum CodingKeys: String, CodingKey {
      case id, body
      case reservation = "reservation_id"
    }
  }
  private struct Single: Decodable { let message: Body }
  private struct Body: Decodable { let body: String }
  private struct Touched: Decodable {
    let reservation: Identifier?

    enum CodingKeys: String, CodingKey { case reservation = "reservation_id" }
  }
  private struct Said: Decodable { let msg: String? }
  private struct Queue: Decodable { let queue: Settings }
  private struct Settings: Decodable {
    let size: UInt64?
    let type: String?
    let expiration: UInt64?

    enum CodingKeys: String, CodingKey {
      case size, type
      case expiration = "message_expiration"
    }
  }

  /// IronMQ writes ids as texts and as numbers, larger than a floating-point number holds.
  private struct Identifier: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      do {
        text = try container.decode(String.self)
      } catch DecodingError.typeMismatch {
        text = String(try container.decode(UInt64.self))
      }
    }
  }
}
