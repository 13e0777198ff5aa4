import BrokerCarrier
import IronMQ
import MessageFormat

extension IronMQTraffic {
  /// Deliveries that the carrier has not looked at; more wait at IronMQ.
  fileprivate static let unreadMax = 32

  /// Waits until there is room for messages, and how many; `nil`: the connection is over.
  func nextRoom() -> Int? {
    while true {
      let (isOver, room) = state.withLock { state in
        (state.isClosed || state.failure != nil, state.room)
      }
      if isOver { return nil }
      if room > 0 { return room }
      receiving.wait(for: nil)
    }
  }

  /// What a reservation brought, of which the request began then.
  func received(
    _ messages: [DeliveredMessage], since begin: ContinuousClock.Instant, partPatience: Duration
  ) {
    let now = ContinuousClock.now
    state.withLock { state in
      state.emptySince = messages.isEmpty ? state.emptySince ?? begin : nil
      for message in messages { state.take(message, at: now) }
      let excess = state.assembly.takeExcess(idleFor: partPatience, at: now)
      state.settle(excess, \.rejected)
    }
    bell.ring()
    settling.ring()
  }

  /// Whether our queue has brought nothing for so long that nothing can be reserved from before.
  func isQuiet(for duration: Duration) -> Bool {
    state.withLock { $0.emptySince.map { $0 + duration <= .now } ?? false }
  }
}

extension IronMQTraffic.State {
  fileprivate var room: Int {
    guard isConsuming, !held.values.contains(where: \.isReleased) else { return 0 }
    let unread = events.count { if case .delivery = $0 { true } else { false } }
    return unread < IronMQTraffic.unreadMax ? max(0, prefetch - deliveries.count) : 0
  }

  fileprivate mutating func take(_ message: DeliveredMessage, at now: ContinuousClock.Instant) {
    lastNumber += 1
    let number = lastNumber
    held[number] = IronMQTraffic.Held(message: message.reserved, since: now)
    // A poll that was under way when the consumption ended.
    guard isConsuming, !isClosed else {
      held[number]?.isReleased = true
      return settle([number], \.released)
    }
    // What is not Base64 is nothing that the carrier could read.
    guard let content = message.content else { return deliver([], [number]) }
    guard content.count <= Limits.brokerMessageByteCountMax else { return deliver(nil, [number]) }
    do throws(FormatError) {
      guard let part = try BrokerPart(decoding: content) else { return deliver(content, [number]) }
      switch assembly.take(part, number, at: now) {
      case .waiting: break
      case .duplicate: settle([number], \.finished)
      case .whole(let bytes, let numbers): deliver(bytes, numbers)
      }
    } catch {
      deliver(content, [number])
    }
  }

  private mutating func deliver(_ bytes: [UInt8]?, _ numbers: [UInt64]) {
    lastNumber += 1
    deliveries[lastNumber] = numbers
    events.append(.delivery(lastNumber, bytes: bytes))
  }
}
