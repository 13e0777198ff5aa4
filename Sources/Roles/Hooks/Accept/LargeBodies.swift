import Synchronization

/// Places for large bodies: a few may be in memory at one time, and fewer of one address. A request waits for its place
/// without reading on, so that its sender waits too.
final class LargeBodies: Sendable {
  private struct Waiter {
    let address: String
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var counts: [String: Int] = [:]
    var waiters: [Waiter] = []

    mutating func takes(_ address: String) -> Bool {
      let count = counts.values.reduce(0, +)
      guard count < HookLimits.largeBodyCountMax,
        counts[address, default: 0] < HookLimits.largeBodyCountMaxOfAddress
      else { return false }
      counts[address, default: 0] += 1
      return true
    }
  }

  private let state = Mutex(State())

  /// A place, until it is released.
  final class Place: Sendable {
    private let address: String
    private let bodies: LargeBodies

    fileprivate init(_ address: String, of bodies: LargeBodies) {
      (self.address, self.bodies) = (address, bodies)
    }

    deinit { bodies.release(address) }
  }

  /// Connections are bounded, and so are those that wait.
  func place(for address: ClientAddress) async -> Place {
    let address = address.text
    await withCheckedContinuation { continuation in
      let isTaken = state.withLock { state in
        if state.takes(address) { return true }
        state.waiters.append(Waiter(address: address, continuation: continuation))
        return false
      }
      if isTaken { continuation.resume() }
    }
    return Place(address, of: self)
  }

  private func release(_ address: String) {
    let next = state.withLock { state -> Waiter? in
      let count = state.counts[address, default: 1] - 1
      state.counts[address] = count > 0 ? count : nil
      var taken: Int?
      for (index, waiter) in state.waiters.enumerated() where state.takes(waiter.address) {
        taken = index
        break
      }
      return taken.map { state.waiters.remove(at: $0) }
    }
    next?.continuation.resume()
  }
}
