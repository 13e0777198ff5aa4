import Mailboxes
import MessageFormat

/// A message of ours on its way into one queue.
struct Upload {
  struct Key: Hashable {
    let id: MessageID
    let mailbox: Mailbox
  }

  /// Chunks that were published together.
  private struct Piece {
    let number: UInt64
    let end: UInt32
    var isConfirmed = false
  }

  let message: StoredMessage
  let mailbox: Mailbox
  let slot: Slot?
  /// Messages go out in the order of these.
  let number: UInt64
  private let chunks: StoredChunks
  private var pieces: [Piece] = []
  /// So many chunks the broker has, without a gap.
  private(set) var confirmedCount: UInt32
  private var next: UInt32
  /// What of that is known after the end of the program.
  private(set) var notedCount: UInt32

  /// `confirmedCount`: what the broker has of it from before.
  init(
    _ message: StoredMessage, _ chunks: StoredChunks, for mailbox: Mailbox, slot: Slot?,
    number: UInt64, confirmedCount: UInt32
  ) {
    (self.message, self.chunks, self.mailbox) = (message, chunks, mailbox)
    (self.slot, self.number) = (slot, number)
    (self.confirmedCount, next, notedCount) = (confirmedCount, confirmedCount, confirmedCount)
  }

  var key: Key { Key(id: message.id, mailbox: mailbox) }
  var chunkCount: UInt32 { chunks.count }
  /// In memory; one that has an open file in place of that counts as the largest without.
  var heldByteCount: UInt64 { min(message.size.byteCount, MailboxStore.inlineByteCountMax) }
  var isPublished: Bool { next == chunks.count }
  var isConfirmed: Bool { confirmedCount == chunks.count }
  var isBegun: Bool { !pieces.isEmpty || next > 0 }

  /// As many of the next chunks as fit into one message.
  mutating func takePiece(as number: UInt64) throws(MailboxError) -> BrokerMessage {
    let first = next
    var taken = [try chunks[next]]
    var byteCount = taken[0].count
    next += 1
    while next < chunks.count, taken.count < Limits.brokerChunkCountMax {
      let chunk = try chunks[next]
      byteCount += chunk.count
      guard byteCount <= Limits.chunkByteCountMax else { break }
      taken.append(chunk)
      next += 1
    }
    pieces.append(Piece(number: number, end: next))
    return BrokerMessage(
      id: message.id, size: message.size, slot: slot, first: first, chunks: taken)
  }

  mutating func confirm(_ number: UInt64) {
    guard let index = pieces.firstIndex(where: { $0.number == number }) else { return }
    pieces[index].isConfirmed = true
    while let first = pieces.first, first.isConfirmed {
      confirmedCount = first.end
      pieces.removeFirst()
    }
  }

  mutating func noted() { notedCount = confirmedCount }

  /// What was not confirmed is published again.
  mutating func interrupted() {
    pieces = []
    next = confirmedCount
  }
}
