import Mailboxes
import MessageFormat

/// A stored message from which chunks are sent.
final class OutgoingMessage {
  let id: MessageID
  fileprivate let chunks: StoredChunks

  fileprivate init(_ message: StoredMessage) throws(MailboxError) {
    id = message.id
    chunks = try message.openVerified()
  }
}

/// The messages and chunks that were sent last: what goes to many readers is read once, and its bytes are in memory once,
/// however many connections they wait in.
struct ChunkCache {
  private static let messageCountMax = 16
  /// 16 MiB: four answers with all the credit there is.
  private static let chunkCountMax = 128

  private var messages: [OutgoingMessage] = []
  private var chunks: [ChunkName: SharedChunk] = [:]
  /// In the order in which they came, a ring.
  private var names: [ChunkName] = []
  private var oldest = 0

  mutating func open(_ message: StoredMessage) throws(MailboxError) -> OutgoingMessage {
    if let index = messages.firstIndex(where: { $0.id == message.id }) { return messages[index] }
    let opened = try OutgoingMessage(message)
    if messages.count == Self.messageCountMax { messages.removeFirst() }
    messages.append(opened)
    return opened
  }

  mutating func chunk(
    _ index: UInt32, of message: OutgoingMessage
  ) throws(MailboxError) -> SharedChunk {
    let name = ChunkName(id: message.id, index: index)
    if let chunk = chunks[name] { return chunk }
    let chunk = SharedChunk(try message.chunks[index])
    if names.count < Self.chunkCountMax {
      names.append(name)
    } else {
      chunks[names[oldest]] = nil
      names[oldest] = name
      oldest = (oldest + 1) % Self.chunkCountMax
    }
    chunks[name] = chunk
    return chunk
  }

  /// It is gone, or may be: its file is held open no longer, and what comes under its name has its own bytes.
  mutating func forget(_ id: MessageID) {
    messages.removeAll { $0.id == id }
    chunks = chunks.filter { $0.key.id != id }
  }

  mutating func forgetAll() { self = ChunkCache() }
}
