import GRDB
package import Mailboxes

extension StateDatabase {
  /// The state of a role `hooks`: what was received, and what the signer has not taken yet.
  package static func hooks(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("hooks") { database in
      try database.execute(
        sql: """
          CREATE TABLE delivery (
            host TEXT NOT NULL, hook TEXT NOT NULL, id TEXT NOT NULL, receivedAt INTEGER NOT NULL,
            PRIMARY KEY (host, hook, id)) WITHOUT ROWID;
          CREATE INDEX deliveryByAge ON delivery (receivedAt);
          CREATE TABLE waiting (
            number INTEGER PRIMARY KEY AUTOINCREMENT, remote TEXT NOT NULL, ref TEXT NOT NULL,
            hook TEXT NOT NULL, receivedAt INTEGER NOT NULL, UNIQUE (remote, ref));
          CREATE TABLE hook (
            path TEXT PRIMARY KEY, receivedAt INTEGER, receivedCount INTEGER NOT NULL DEFAULT 0,
            event TEXT, handedOverAt INTEGER, fault TEXT) WITHOUT ROWID;
          CREATE TABLE refusal (
            path TEXT NOT NULL, status INTEGER NOT NULL, count INTEGER NOT NULL,
            lastAt INTEGER NOT NULL, PRIMARY KEY (path, status)) WITHOUT ROWID;
          """)
    }
    return try StateDatabase(directory: directory, migrator: migrator)
  }
}
