import GitModel

/// Commits to look at, the newest first: a binary heap.
struct DatedQueue {
  private var heap: [(date: UInt64, id: ObjectID)] = []

  var newest: UInt64? { heap.first?.date }

  mutating func push(_ id: ObjectID, _ date: UInt64) {
    heap.append((date, id))
    var child = heap.count - 1
    while child > 0, heap[(child - 1) / 2].date < heap[child].date {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> ObjectID? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first.id }
    heap[0] = last
    var parent = 0
    while true {
      var largest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].date > heap[largest].date {
        largest = child
      }
      if largest == parent { return first.id }
      heap.swapAt(parent, largest)
      parent = largest
    }
  }
}
