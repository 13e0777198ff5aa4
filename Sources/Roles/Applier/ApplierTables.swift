import GRDB
package import Mailboxes

extension StateDatabase {
  /// The applier's state: inbox and receipts as mailboxes, how far each stream was seen, attempts, and the journal.
  package static func applier(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    MailboxStore.registerMigrations(in: &migrator)
    Journal.registerMigrations(in: &migrator)
    Inbox.registerMigrations(in: &migrator)
    return try StateDatabase(directory: directory, migrator: migrator)
  }
}
