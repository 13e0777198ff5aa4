import Mailboxes
import MessageFormat
import Sealing

/// A message on its way out of our queue: what has come of it, and which deliveries wait for our disk.
final class IncomingMessage {
  enum Progress {
    case taken
    /// The bytes are not of this message.
    case foreign
    /// Something between is missing, and more than may be out of order has come behind it.
    case gap
  }

  /// Out of their order: what brokers do when they deliver again.
  private static let earlyCountMax = 64
  /// Between two syncs of what has come: less than the window, so that it never closes.
  private static let keptStepByteCount: UInt64 = 16 << 20

  let writer: MessageWriter
  private let slot: Slot?
  private var early: [UInt32: [UInt8]] = [:]
  /// Deliveries that are not acknowledged yet, and where each ends.
  private var held: [(tag: DeliveryTag, end: UInt32)] = []
  private var keptByteCount: UInt64
  private(set) var lastHeard: ContinuousClock.Instant

  init(_ writer: MessageWriter, at now: ContinuousClock.Instant) {
    (self.writer, lastHeard, slot) = (writer, now, writer.offer.slot)
    keptByteCount = writer.byteCount
  }

  var id: MessageID { writer.offer.id }
  var size: SealedSize { writer.offer.size }
  var isComplete: Bool { writer.isComplete }
  var tags: [DeliveryTag] { held.map(\.tag) }

  func take(
    _ message: BrokerMessage, _ tag: DeliveryTag, at now: ContinuousClock.Instant
  ) throws(MailboxError) -> Progress {
    guard message.size == size, message.slot == slot else { return .foreign }
    lastHeard = now
    for (offset, chunk) in message.chunks.enumerated() {
      let index = message.first + UInt32(offset)
      if index == 0, MessageID(ofHeader: chunk) != id { return .foreign }
      if index > writer.nextChunk { early[index] = chunk }
      guard index == writer.nextChunk else { continue }
      do throws(MailboxError) {
        try writer.append(chunk)
      } catch .outOfOrder {
        return .foreign
      } catch {
        throw error
      }
    }
    held.append((tag, message.end))
    try takeEarly()
    return early.count > Self.earlyCountMax ? .gap : .taken
  }

  /// Bytes that turn out to be others' leave a gap, and the message with it.
  private func takeEarly() throws(MailboxError) {
    while !writer.isComplete, let chunk = early.removeValue(forKey: writer.nextChunk) {
      do throws(MailboxError) {
        try writer.append(chunk)
      } catch .outOfOrder {
        return
      } catch {
        throw error
      }
    }
    if !early.isEmpty { early = early.filter { $0.key > writer.nextChunk } }
  }

  /// Makes what has come durable, now and then or at once: the deliveries that the broker may forget.
  func keep(now isDue: Bool = false) throws(MailboxError) -> [DeliveryTag] {
    if isDue || writer.byteCount - keptByteCount >= Self.keptStepByteCount {
      try writer.keep()
      keptByteCount = writer.byteCount
    }
    let end = writer.keptChunkCount
    guard held.contains(where: { $0.end <= end }) else { return [] }
    let durable = held.filter { $0.end <= end }.map(\.tag)
    held.removeAll { $0.end <= end }
    return durable
  }

  /// They will be delivered again, and what was out of its order with them.
  func forgetDeliveries() { (held, early) = ([], [:]) }
}
