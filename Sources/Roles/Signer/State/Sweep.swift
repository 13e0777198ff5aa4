import Foundation
import GRDB
package import Mailboxes
package import MessageFormat

// What lies in the outbox to no purpose.
extension Outbox {
  /// Takes out what no applier accepts any more, and what is for identities that are no longer recipients, and ends the
  /// wait for their answers. Costs in proportion to the recipients that have not answered something. Returns what was
  /// discarded since it had waited for too long.
  package func sweep(
    _ settings: SignerSettings, at now: Timestamp
  ) throws(SignerError) -> SweptMessages {
    let swept: SweptMessages
    do throws(MailboxError) {
      swept = try store.sweep(at: now)
    } catch {
      throw .mailbox(error)
    }
    if swept.messageCount > 0 { try supersedeLost() }
    let sources = Dictionary(grouping: settings.repositories, by: \.remote)
    var configured: [StreamName: Set<Mailbox>] = [:]
    let expectants = try reading { database in
      try Expectant.fetchAll(
        database,
        sql: """
          SELECT stream.id AS stream, remote, ref, mailbox FROM stream
          JOIN recipient ON recipient.stream = stream.id WHERE expected IS NOT NULL
          """)
    }
    for expectant in expectants {
      let name = expectant.name
      let recipients =
        configured[name]
        ?? Set((sources[name.remote]?.source(of: name)?.recipients ?? []).map(\.mailbox))
      configured[name] = recipients
      if !recipients.contains(expectant.mailbox) { try drop(expectant) }
    }
    return swept
  }

  /// Ends the wait for messages that are not in the outbox, though no carrier has taken them: as after a damaged disk.
  package func supersedeLost() throws(SignerError) {
    try writing { database in
      try database.execute(
        sql: """
          UPDATE answer SET state = 'superseded'
          WHERE \(Self.isOpen) AND state = 'waiting' AND message NOT IN (SELECT id FROM message)
          """)
    }
  }

  /// A recipient that has not answered something.
  private struct Expectant: Decodable, FetchableRecord {
    let stream: Int64
    let remote: RemoteName
    let ref: BranchName
    let mailbox: Mailbox

    var name: StreamName { StreamName(remote: remote, branch: ref) }
  }

  private func drop(_ expectant: Expectant) throws(SignerError) {
    let messages = try reading { database in
      try MessageID.fetchAll(
        database,
        sql: "SELECT message FROM answer WHERE \(Self.isOpen) AND stream = ? AND recipient = ?",
        arguments: [expectant.stream, expectant.mailbox])
    }
    do throws(MailboxError) {
      for message in messages {
        guard let waiting = try store.message(message, in: expectant.mailbox) else { continue }
        try store.remove(waiting)
      }
    } catch {
      throw .mailbox(error)
    }
    try writing { database in
      try database.execute(
        sql: """
          UPDATE answer SET state = 'superseded'
          WHERE \(Self.isOpen) AND stream = ? AND recipient = ?
          """, arguments: [expectant.stream, expectant.mailbox])
    }
  }
}
