import BrokerCarrier

/// What was published and has no answer yet. Receipts may come in any order; `BrokerSending` is told of all up to one.
struct OpenPublications {
  private var open: [UInt64] = []
  private var received: Set<UInt64> = []
  private(set) var count: UInt64 = 0

  var isEmpty: Bool { open.isEmpty }

  mutating func add() -> UInt64 {
    count += 1
    open.append(count)
    return count
  }

  mutating func receive(_ number: UInt64) { received.insert(number) }

  /// `false`: no publication has that number and no answer.
  mutating func refuse(_ number: UInt64) -> Bool {
    guard let index = open.firstIndex(of: number) else { return false }
    open.remove(at: index)
    return true
  }

  /// Of those that were received, all before which nothing is open.
  mutating func takeConfirmed() -> PublicationNumbers? {
    let confirmed = open.prefix(while: received.contains)
    guard let last = confirmed.last else { return nil }
    received.subtract(confirmed)
    open.removeFirst(confirmed.count)
    return PublicationNumbers(last, includesEarlier: true)
  }
}
