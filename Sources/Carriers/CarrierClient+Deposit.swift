package import Mailboxes
package import MessageFormat
package import ZeroMQ

extension CarrierClient {
  /// Hands a message over, from wherever an interrupted deposit of it had come to. Stored means durable over there.
  ///
  /// The deadline is for reaching the carrier; after that, as long as it takes the next chunk within `progressTimeout`.
  package func deposit(
    _ message: StoredMessage, in mailboxes: [Mailbox], by deadline: Deadline,
    progress: (_ done: UInt64, _ total: UInt64) -> Void
  ) throws -> DepositResult {
    let offer = DepositOffer(id: message.id, mailboxes: mailboxes, size: message.size)
    let chunks = try message.open()
    // Small messages go out whole with the request; the carrier takes so many without being asked.
    var next: UInt32 = 0
    var end = min(chunks.count, Limits.creditMax)
    try send(.deposit(offer), by: deadline)
    while true {
      while next < end {
        let name = ChunkName(id: message.id, index: next)
        try send(.chunk(name), chunk: try chunks[next], by: .after(Self.progressTimeout))
        next += 1
        progress(UInt64(next), UInt64(chunks.count))
      }
      switch try self.next(by: .after(Self.progressTimeout)) {
      case .interrupted:
        try send(.deposit(offer), by: .after(Self.progressTimeout))
        (next, end) = (0, 0)
      case .reply(.proceed(let expected, let credit), _) where expected.id == message.id:
        // What is under way already is behind `next`. It is before only after an interruption, or where an earlier run
        // has sent a part.
        next = end == 0 ? expected.index : max(next, expected.index)
        end = min(chunks.count, max(end, expected.index + credit))
      case .reply(.stored(message.id), _):
        return .stored
      case .reply(.refused(message.id, let reason, let detail), _):
        return .refused(reason, detail: detail)
      case .reply:
        // An answer to something that an interrupted run had asked.
        continue
      }
    }
  }
}
