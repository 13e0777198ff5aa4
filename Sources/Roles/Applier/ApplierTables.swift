import GRDB
package import Mailboxes

extension StateDatabase {
  /// The applier's state: inbox and receipts as mailboxes, what is remembered of streams, attempts, and the journal.
  package static func applier(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    MailboxStore.registerMigrations(in: &migrator)
    Journal.registerMigrations(in: &migrator)
    migrator.registerMigration("applier") { try $0.execute(sql: applier) }
    return try StateDatabase(directory: directory, migrator: migrator)
  }

  /// One record type a table: `SeenRecord` of `seen`, and so on.
  private static let applier = """
    CREATE TABLE attempt (message BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE seen (
      signer BLOB NOT NULL, remote TEXT NOT NULL, ref TEXT NOT NULL,
      sequence INTEGER NOT NULL, digest BLOB NOT NULL,
      PRIMARY KEY (signer, remote, ref)) WITHOUT ROWID;
    CREATE TABLE applied (
      number INTEGER PRIMARY KEY AUTOINCREMENT, signer BLOB NOT NULL, remote TEXT NOT NULL,
      ref TEXT NOT NULL, revision BLOB NOT NULL, sequence INTEGER NOT NULL,
      UNIQUE (remote, ref, revision));
    CREATE INDEX appliedByStream ON applied (signer, remote, ref, number);
    CREATE TABLE heartbeat (
      signer BLOB NOT NULL, remote TEXT NOT NULL, ref TEXT NOT NULL, number INTEGER NOT NULL,
      sequence INTEGER NOT NULL, revision BLOB NOT NULL, tree BLOB, counter INTEGER NOT NULL,
      createdAt INTEGER NOT NULL, receivedAt INTEGER NOT NULL, boot TEXT NOT NULL,
      sinceBoot INTEGER NOT NULL, lifetime INTEGER NOT NULL,
      PRIMARY KEY (signer, remote, ref)) WITHOUT ROWID;
    CREATE INDEX heartbeatByStream ON heartbeat (remote, ref, number);
    CREATE TABLE answerSlot (
      signer BLOB NOT NULL, remote TEXT NOT NULL, ref TEXT NOT NULL, slot BLOB NOT NULL,
      PRIMARY KEY (signer, remote, ref)) WITHOUT ROWID;
    CREATE TABLE reportSlot (
      signer BLOB NOT NULL, part INTEGER NOT NULL, slot BLOB NOT NULL,
      PRIMARY KEY (signer, part)) WITHOUT ROWID;
    CREATE TABLE refusal (
      remote TEXT NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
      at INTEGER NOT NULL, PRIMARY KEY (remote, ref)) WITHOUT ROWID;
    CREATE TABLE rejected (
      remote TEXT NOT NULL, ref TEXT NOT NULL, revision BLOB NOT NULL, sequence INTEGER NOT NULL,
      name TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (remote, ref)
      ) WITHOUT ROWID;
    CREATE TABLE strayRefusal (
      name TEXT PRIMARY KEY, detail TEXT NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL
      ) WITHOUT ROWID;
    CREATE TABLE block (
      remote TEXT NOT NULL, ref TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
      since INTEGER NOT NULL, PRIMARY KEY (remote, ref)) WITHOUT ROWID;
    CREATE TABLE watched (
      remote TEXT NOT NULL, ref TEXT NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL,
      sinceBoot INTEGER NOT NULL, PRIMARY KEY (remote, ref)) WITHOUT ROWID;
    """
}
