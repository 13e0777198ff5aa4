import IronMQ

extension IronMQTraffic {
  /// What IronMQ is to be told next.
  enum Settlement {
    case delete([UInt64], ReservedBatch)
    case reject(UInt64, ReservedMessage)
    case renew(UInt64, ReservedMessage)
    case release(UInt64, ReservedMessage)
  }

  /// Waits for something to tell; `nil`: the connection is over, and there is nothing more.
  func nextSettlement(renewal: Duration) -> Settlement? {
    while true {
      let (settlement, isOver, due) = state.withLock { state in
        (
          state.failure == nil || state.isClosed ? state.nextSettlement(renewal) : nil,
          state.isClosed, state.nextRenewal(renewal)
        )
      }
      if let settlement { return settlement }
      if isOver { return nil }
      settling.wait(until: due)
    }
  }

  func settled(_ numbers: [UInt64]) {
    state.withLock { state in for number in numbers { state.held[number] = nil } }
    receiving.ring()
  }

  /// `nil`: its reservation has ended.
  func renewed(_ number: UInt64, as message: ReservedMessage?, at now: ContinuousClock.Instant) {
    state.withLock { state in
      guard var held = state.held[number] else { return }
      held.since = now
      if let message { held.message = message } else { held.isLost = true }
      state.held[number] = held
    }
  }
}

extension IronMQTraffic.State {
  fileprivate mutating func nextSettlement(_ renewal: Duration) -> IronMQTraffic.Settlement? {
    forgetLost()
    // By turns: where each request takes long, neither may keep the other from its turn.
    prefersRenewal.toggle()
    if prefersRenewal, let settlement = self.renewal(after: renewal) { return settlement }
    return nextAnswer() ?? self.renewal(after: renewal)
  }

  private func renewal(after interval: Duration) -> IronMQTraffic.Settlement? {
    guard !isClosed,
      let due = held.first(where: { !$0.value.isOut && $0.value.since + interval <= .now })
    else { return nil }
    return .renew(due.key, due.value.message)
  }

  private mutating func nextAnswer() -> IronMQTraffic.Settlement? {
    let numbers = Array(finished.prefix(ReservedBatch.countMax))
    finished.removeFirst(numbers.count)
    if let batch = ReservedBatch(numbers.compactMap { held[$0]?.message }) {
      return .delete(numbers, batch)
    }
    if let number = rejected.popLast(), let message = held[number]?.message {
      return .reject(number, message)
    }
    // The last one first: IronMQ puts what is released in front of the queue.
    if let number = released.popLast(), let message = held[number]?.message {
      return .release(number, message)
    }
    return nil
  }

  /// What is settled and was lost before needs no word.
  private mutating func forgetLost() {
    for list in [\Self.finished, \.rejected, \.released] {
      let lost = self[keyPath: list].filter { held[$0]?.isLost != false }
      guard !lost.isEmpty else { continue }
      for number in lost { held[number] = nil }
      let known = held
      self[keyPath: list].removeAll { known[$0] == nil }
    }
  }

  fileprivate func nextRenewal(_ renewal: Duration) -> ContinuousClock.Instant? {
    held.values.filter { !$0.isOut }.map { $0.since + renewal }.min()
  }
}

extension IronMQTraffic.Held {
  /// It is not renewed.
  fileprivate var isOut: Bool { isLost || isSettled }
}
