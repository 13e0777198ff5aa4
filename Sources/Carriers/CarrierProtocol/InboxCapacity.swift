import Host
import Mailboxes
import MessageFormat

/// Whether what would come fits: below the inbox's limit, and on the disk.
struct InboxCapacity {
  private let mailbox: Mailbox
  private let store: MailboxStore
  private let inboxMax: InboxLimit

  init(_ port: CarrierPort) {
    mailbox = port.mailbox
    store = port.store
    inboxMax = port.inboxMax
  }

  /// Before any more of it is on the disk; `whole`: what has come and is not in the inbox yet.
  func require(
    for message: MessageWriter, besides whole: [SealedSize]
  ) throws(ExchangeFault) {
    let size = message.offer.size
    let (inbox, disk): (Usage, DiskSpace)
    do {
      inbox = try store.usage(of: mailbox, as: .mailbox)
      disk = try DiskSpace(at: store.state.spool.path)
    } catch {
      throw .machine("\(error)")
    }
    guard inbox.messageCount + UInt64(whole.count) < inboxMax.messageCount else {
      throw .full("\(inbox.messageCount) messages wait here")
    }
    let waiting = whole.reduce(inbox.byteCount) { $0 + $1.byteCount }
    // One message of any size, where there is no other.
    guard waiting == 0 || waiting + size.byteCount <= inboxMax.byteCount else {
      throw .full("\(waiting) bytes wait here, and \(size.byteCount) would come")
    }
    // What it holds needs as much again when it is applied.
    guard size.byteCount <= (disk.freeByteCount + message.byteCount) / 2 else {
      throw .full("\(size.byteCount) bytes would come, and \(disk.freeByteCount) are free")
    }
  }
}
