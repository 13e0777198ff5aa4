package import MessageFormat
package import ZeroMQ

/// A message that was collected and not yet acknowledged: the carrier keeps it until then.
package struct Collected: Sendable {
  package let entry: MailboxEntry
  package let chunks: [[UInt8]]
}

extension CarrierClient {
  /// The first message of our mailbox behind `position`, which must be one of at most `byteCountMax`; `nil` when none came
  /// up to the deadline.
  package func collect(
    after position: UInt64 = 0, byteCountMax: UInt64, by deadline: Deadline
  ) throws(CarrierError) -> Collected? {
    try send(
      .collect(
        after: position, credit: Limits.creditMax,
        waitMilliseconds: Limits.collectWaitMillisecondsMax), by: deadline)
    var entry: MailboxEntry?
    var size = SealedSize(chunkCount: 0, byteCount: 0)
    var chunks: [[UInt8]] = []
    while true {
      let event: Event
      do throws(CarrierError) {
        event = try next(by: deadline)
      } catch .noAnswer {
        return nil
      }
      switch event {
      case .interrupted:
        (entry, chunks) = (nil, [])
        try send(
          .collect(
            after: position, credit: Limits.creditMax,
            waitMilliseconds: Limits.collectWaitMillisecondsMax), by: deadline)
      case .reply(.delivery(let delivered, let announced, _), _):
        guard announced.byteCount <= byteCountMax else {
          throw .unexpectedAnswer(
            endpoint: endpoint, "a message of \(announced.byteCount) bytes, over \(byteCountMax)")
        }
        (entry, size, chunks) = (delivered, announced, [])
      case .reply(.chunk(let name), let chunk):
        guard let current = entry, name.id == current.id, let chunk else { continue }
        guard name.index == UInt32(chunks.count) else {
          throw .unexpectedAnswer(endpoint: endpoint, "chunk \(name.index) out of order")
        }
        chunks.append(chunk)
        if chunks.count == Int(size.chunkCount) { return Collected(entry: current, chunks: chunks) }
        if chunks.count % Int(Limits.creditMax) == 0 {
          let following = ChunkName(id: current.id, index: UInt32(chunks.count))
          try send(.fetch(following, credit: Limits.creditMax), by: deadline)
        }
      case .reply(.refused(_, let reason, let detail), _):
        throw .unexpectedAnswer(endpoint: endpoint, "\(reason.rawValue): \(detail)")
      case .reply:
        continue
      }
    }
  }

  /// The carrier may forget the message.
  package func acknowledge(_ entry: MailboxEntry, by deadline: Deadline) throws(CarrierError) {
    try send(.acknowledge(entry), by: deadline)
    while true {
      switch try next(by: deadline) {
      case .reply(.acknowledged(entry), _): return
      case .interrupted: try send(.acknowledge(entry), by: deadline)
      case .reply(.refused(entry.id, let reason, let detail), _):
        throw .unexpectedAnswer(endpoint: endpoint, "\(reason.rawValue): \(detail)")
      case .reply: continue
      }
    }
  }
}
