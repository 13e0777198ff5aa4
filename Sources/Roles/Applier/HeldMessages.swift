import MessageFormat

/// Messages that wait for one checkout, in the inbox's order.
struct HeldMessages {
  struct Entry {
    let id: MessageID
    let byteCount: UInt64
  }

  private struct Origin: Hashable {
    let signer: Mailbox
    let stream: StreamName
  }

  /// By their number here; one that was answered leaves a gap.
  private var numbers: [MessageID: Int] = [:]
  private var entries: [Entry?] = []
  private var first = 0
  private var heartbeats: [Origin: (id: MessageID, createdAt: Timestamp)] = [:]
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

  /// Of two heartbeats of a stream the newer one is held; answers the other one.
  mutating func holdNewest(_ opened: OpenedHeartbeat) -> MessageID? {
    let (id, heartbeat) = (opened.stored.id, opened.heartbeat)
    let origin = Origin(signer: heartbeat.signer, stream: heartbeat.stream)
    let last = heartbeats[origin]
    if let last {
      guard last.id != id else { return nil }
      guard last.createdAt < heartbeat.createdAt else { return id }
      remove([last.id])
    }
    add(Entry(id: id, byteCount: 0))
    heartbeats[origin] = (id, heartbeat.createdAt)
    return last?.id
  }

  mutating func remove(_ ids: Set<MessageID>) {
    for id in ids {
      guard let number = numbers.removeValue(forKey: id) else { continue }
      byteCount -= entries[number]?.byteCount ?? 0
      entries[number] = nil
      while first < entries.count, entries[first] == nil { first += 1 }
      heartbeats = heartbeats.filter { $0.value.id != id }
    }
  }
}
