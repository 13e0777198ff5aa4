import MessageFormat
import Synchronization

/// Whose turn it is to send on a stream: one request after the other, so that what many ask for at once is packed once.
/// Each looks at the branch when its turn comes.
package final class StreamTurns: Sendable {
  private final class Turn: Sendable {
    let mutex = Mutex(())
  }

  private let turns = Mutex<[StreamName: Turn]>([:])

  package init() {}

  /// Of a configured stream, of which there are so many and no more.
  func take<Value>(on stream: StreamName, _ body: () throws -> Value) rethrows -> Value {
    let turn = turns.withLock { turns in
      let turn = turns[stream] ?? Turn()
      turns[stream] = turn
      return turn
    }
    return try turn.mutex.withLock { _ in try body() }
  }
}
