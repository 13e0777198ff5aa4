import Synchronization
import Threads

/// Work on several things at once, each on one of a few threads.
enum SideBySide {
  /// Returns when all of it is done.
  static func run<Item: Sendable>(
    _ items: [Item], threadCountMax: Int, _ body: @escaping @Sendable (Item) -> Void
  ) {
    let work = Work(items: items, body: body)
    var threads: [LoopThread] = []
    for _ in 1..<max(1, min(threadCountMax, items.count)) {
      do throws(ThreadError) {
        threads.append(try LoopThread { work.run() })
      } catch {
        // With fewer it takes longer.
        break
      }
    }
    work.run()
    for thread in threads { thread.join() }
  }

  private final class Work<Item: Sendable>: Sendable {
    private let items: [Item]
    private let body: @Sendable (Item) -> Void
    private let nextIndex = Mutex(0)

    init(items: [Item], body: @escaping @Sendable (Item) -> Void) {
      (self.items, self.body) = (items, body)
    }

    func run() {
      while let item = next() { body(item) }
    }

    private func next() -> Item? {
      nextIndex.withLock { index in
        guard index < items.count else { return nil }
        defer { index += 1 }
        return items[index]
      }
    }
  }
}
