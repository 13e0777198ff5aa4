import NATS

/// Deliveries that are not acknowledged, by their numbers in the stream, and whether any is missing.
struct HeldDeliveries {
  enum News {
    case new(UInt64)
    /// It is held already: a server delivers again what it has not heard of for too long.
    case known
    /// The server has delivered something before it that did not come.
    case gap
    /// No consumer has sent it.
    case stranger
  }

  private struct Held {
    var reply: String
    var lastWord: ContinuousClock.Instant
  }

  private var held: [UInt64: Held] = [:]
  private var lastDelivery: UInt64 = 0

  var count: Int { held.count }

  /// `delivery`: the number of the consumer's last one.
  mutating func startAgain(after delivery: UInt64) { (held, lastDelivery) = ([:], delivery) }

  mutating func take(_ delivery: NATSDelivery, at now: ContinuousClock.Instant) -> News {
    guard let numbers = delivery.numbers else { return .stranger }
    // Numbers follow each other, also of what is delivered again. A leader that is new may count from further back.
    if numbers.delivery > lastDelivery + 1 { return .gap }
    lastDelivery = numbers.delivery
    let isKnown = held[numbers.stream] != nil
    held[numbers.stream] = Held(reply: delivery.reply, lastWord: now)
    return isKnown ? .known : .new(numbers.stream)
  }

  /// Where it is answered; `nil`: of an earlier consumer.
  mutating func remove(_ number: UInt64) -> String? { held.removeValue(forKey: number)?.reply }

  /// Those of which the server has heard nothing for so long.
  mutating func silent(for duration: Duration, at now: ContinuousClock.Instant) -> [String] {
    var replies: [String] = []
    for (number, delivery) in held where delivery.lastWord + duration <= now {
      held[number]?.lastWord = now
      replies.append(delivery.reply)
    }
    return replies
  }
}
