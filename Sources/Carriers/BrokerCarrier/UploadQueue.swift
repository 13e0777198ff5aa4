import Mailboxes
import MessageFormat
import Sealing

/// Messages of ours that are on their way out, each into one queue, in their order.
struct UploadQueue {
  private static let countMax = 512
  /// Of messages that are in memory, or have a file open: 64 of those that have files.
  private static let byteCountMax = 64 * MailboxStore.inlineByteCountMax

  private var uploads: [Upload.Key: Upload] = [:]
  private var byteCount: UInt64 = 0
  private var lastNumber: UInt64 = 0
  /// Of these there is something to publish, in their order.
  private var waiting: ArraySlice<Upload.Key> = []

  var isEmpty: Bool { uploads.isEmpty }
  var isFull: Bool { uploads.count >= Self.countMax || byteCount >= Self.byteCountMax }
  /// So little is left that it is worth a look at what else waits.
  var isLow: Bool { uploads.count < Self.countMax / 4 && byteCount < Self.byteCountMax / 2 }
  /// How many more there may be.
  static var room: Int { countMax }

  /// Of which something is to be published next.
  var first: Upload? { waiting.first.flatMap { uploads[$0] } }
  var all: some Sequence<Upload> { uploads.values }

  subscript(key: Upload.Key) -> Upload? { uploads[key] }

  mutating func add(
    _ message: StoredMessage, _ chunks: StoredChunks, for mailbox: Mailbox, slot: Slot?,
    confirmedCount: UInt32
  ) {
    lastNumber += 1
    let upload = Upload(
      message, chunks, for: mailbox, slot: slot, number: lastNumber, confirmedCount: confirmedCount)
    uploads[upload.key] = upload
    byteCount += upload.heldByteCount
    waiting.append(upload.key)
  }

  /// Takes the next piece of the first one.
  mutating func takePiece(as number: UInt64) throws(MailboxError) -> BrokerMessage? {
    guard let key = waiting.first, var upload = uploads[key] else { return nil }
    let message = try upload.takePiece(as: number)
    uploads[key] = upload
    if upload.isPublished { waiting.removeFirst() }
    return message
  }

  /// As it is then; `nil`: it is gone.
  mutating func confirm(_ number: UInt64, of key: Upload.Key) -> Upload? {
    uploads[key]?.confirm(number)
    return uploads[key]
  }

  mutating func noted(_ key: Upload.Key) { uploads[key]?.noted() }

  @discardableResult
  mutating func remove(_ key: Upload.Key) -> Upload? {
    guard let upload = uploads.removeValue(forKey: key) else { return nil }
    byteCount -= upload.heldByteCount
    if !upload.isPublished { waiting.removeAll { $0 == key } }
    return upload
  }

  mutating func removeAll(where isRemoved: (Upload) -> Bool) {
    for upload in uploads.values where isRemoved(upload) { remove(upload.key) }
  }

  /// What was not confirmed is published again.
  mutating func interrupted() {
    for key in uploads.keys { uploads[key]?.interrupted() }
    waiting = uploads.values.sorted { $0.number < $1.number }.map(\.key)[...]
  }
}
