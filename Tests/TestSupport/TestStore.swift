import GRDB
package import Host
package import Mailboxes

extension MailboxStore {
  /// With the mailboxes' tables only.
  package init(
    testing directory: String, sinceBoot: @escaping @Sendable () -> BootTime = BootTime.now
  ) throws {
    var migrator = DatabaseMigrator()
    Self.registerMigrations(in: &migrator)
    try self.init(
      state: StateDatabase(directory: directory, migrator: migrator), sinceBoot: sinceBoot)
  }
}
