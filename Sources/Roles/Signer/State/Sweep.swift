import Foundation
import GRDB
import Mailboxes
package import MessageFormat

// What lies in the outbox to no purpose.
extension Outbox {
  /// Takes out what no applier accepts any more, and what is for identities that are no longer recipients, and ends the
  /// wait for their answers. Costs in proportion to the recipients that have not answered something.
  package func sweep(_ settings: SignerSettings, at now: Timestamp) throws(SignerError) {
    let sweptCount: Int
    do throws(MailboxError) {
      sweptCount = try store.sweep(at: now)
    } catch {
      throw .mailbox(error)
    }
    if sweptCount > 0 { try supersedeLost() }
    let configured = Dictionary(
      settings.repositories.flatMap { repository in
        repository.branches.map {
          (repository.stream($0), Set(repository.recipients.map(\.mailbox)))
        }
      }
    ) { first, _ in first }
    let expectants = try reading { database in
      try Expectant.fetchAll(
        database,
        sql: """
          SELECT stream.id AS stream, remote, ref, mailbox FROM stream
          JOIN recipient ON recipient.stream = stream.id WHERE expected IS NOT NULL
          """)
    }
    for expectant in expectants
    where configured[expectant.name]?.contains(expectant.mailbox) != true {
      try drop(expectant)
    }
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
