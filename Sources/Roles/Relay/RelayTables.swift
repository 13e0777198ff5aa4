import GRDB
import Mailboxes

extension StateDatabase {
  /// A relay's state: mailboxes, and nothing else.
  static func relay(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    MailboxStore.registerMigrations(in: &migrator)
    return try StateDatabase(directory: directory, migrator: migrator)
  }
}
