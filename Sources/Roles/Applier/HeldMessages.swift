import MessageFormat

/// Messages that wait for one checkout, in the inbox's order.
struct HeldMessages {
  struct Entry {
    let id: MessageID
    let byteCount: UInt64
  }

  /// By their number here; one that was answered leaves a gap.
  private var numbers: [MessageID: Int] = [:]
  private var entries: [Entry?] = []
  private var first = 0
  private(set) var byteCount: UInt64 = 0

  var count: Int { numbers.count }

  func contains(_ id: MessageID) -> Bool { numbers[id] != nil }

  func first(_ countMax: Int) -> [MessageID] {
    Array(entries[first...].lazy.compactMap { $0?.id }.prefix(countMax))
  }

  mutating func add(_ entry: Entry) {
    guard numbers[entry.id] == nil else { return }
    numbers[entry.id] = entries.count
    entries.append(entry)
    byteCount += entry.byteCount
  }

  mutating func remove(_ ids: Set<MessageID>) {
    for id in ids {
      guard let number = numbers.removeValue(forKey: id) else { continue }
      byteCount -= entries[number]?.byteCount ?? 0
      entries[number] = nil
      while first < entries.count, entries[first] == nil { first += 1 }
    }
  }
}
