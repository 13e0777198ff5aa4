import Foundation
import GRDB
import Host
import Mailboxes
import MessageFormat
import Spool
import TestSupport

/// A store in a temporary directory, and messages for it.
struct Store {
  let folder: TemporaryFolder
  let directory: String
  let store: MailboxStore

  init(
    in folder: TemporaryFolder? = nil, directory: String? = nil,
    sinceBoot: @escaping @Sendable () -> BootTime = BootTime.now
  ) throws {
    self.folder = try folder ?? TemporaryFolder()
    self.directory = directory ?? self.folder.path + "/state"
    store = try MailboxStore(testing: self.directory, sinceBoot: sinceBoot)
  }

  var spoolNames: [String] {
    get throws { try store.state.spool.names() }
  }

  func rowCount(of table: String) throws -> Int {
    try store.state.queue.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? -1 }
  }

  @discardableResult
  func deposit(_ letter: Letter, for mailboxes: [Mailbox]) throws -> MessageID {
    try store.commit([incoming(letter, for: mailboxes)], at: letter.time)
    return letter.id
  }

  /// Whole, but not committed.
  func incoming(_ letter: Letter, for mailboxes: [Mailbox]) throws -> MessageWriter {
    let message = try MessageWriter(
      letter.offer(for: mailboxes), from: letter.sender, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    return message
  }

  func ids(in mailbox: Mailbox) throws -> [MessageID] {
    try store.messages(in: mailbox, countMax: 1_000).map(\.id)
  }
}
