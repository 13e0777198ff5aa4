import Foundation
import GRDB
import Mailboxes
package import MessageFormat

// What lies in the outbox to no purpose.
extension Outbox {
  /// Takes out what nobody could accept any more, and what is for who is no longer a recipient, and waits for its answers
  /// no more: a machine that is gone would keep it here for ever.
  package func sweep(_ settings: SignerSettings, at now: Timestamp) throws(SignerError) {
    do throws(MailboxError) {
      _ = try store.sweep(at: now)
    } catch {
      throw .mailbox(error)
    }
    try writing { database in
      try database.execute(
        sql: """
          UPDATE answer SET state = 'superseded'
          WHERE state = 'waiting' AND message NOT IN (SELECT id FROM message)
          """)
    }
    for message in try unstored() + unanswered() where !settings.sends(message) {
      try drop(message)
    }
  }

  private func drop(_ message: SentMessage) throws(SignerError) {
    do throws(MailboxError) {
      if let waiting = try store.message(message.id, in: message.recipient) {
        try store.remove(waiting)
      }
    } catch {
      throw .mailbox(error)
    }
    try writing { database in
      try database.execute(
        sql: "UPDATE answer SET state = 'superseded' WHERE message = ? AND recipient = ?",
        arguments: [Data(message.id.bytes), Data(message.recipient.bytes)])
    }
  }
}

extension SignerSettings {
  fileprivate func sends(_ message: SentMessage) -> Bool {
    repositories.contains { repository in
      repository.sends(message.stream)
        && repository.recipients.contains { $0.mailbox == message.recipient }
    }
  }
}
