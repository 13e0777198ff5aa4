import GRDB
package import Mailboxes

extension StateDatabase {
  /// The signer's state: mailboxes as outbox, streams with their sequence, what was sent, and every recipient's answer.
  package static func signer(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    MailboxStore.registerMigrations(in: &migrator)
    migrator.registerMigration("signer") { database in
      try database.execute(
        sql: """
          CREATE TABLE stream (
            id INTEGER PRIMARY KEY, remote TEXT NOT NULL, ref TEXT NOT NULL,
            sequence INTEGER NOT NULL, revision BLOB NOT NULL, digest BLOB NOT NULL,
            UNIQUE (remote, ref));
          CREATE TABLE sent (
            message BLOB PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream,
            sequence INTEGER NOT NULL, before BLOB, after BLOB NOT NULL, kind TEXT NOT NULL,
            byteCount INTEGER NOT NULL, createdAt INTEGER NOT NULL,
            UNIQUE (stream, sequence)) WITHOUT ROWID;
          CREATE TABLE answer (
            message BLOB NOT NULL REFERENCES sent, recipient BLOB NOT NULL, name TEXT NOT NULL,
            state TEXT NOT NULL, storedAt INTEGER, finishedAt INTEGER, refusal TEXT, detail TEXT,
            revision BLOB, PRIMARY KEY (message, recipient)) WITHOUT ROWID;
          CREATE INDEX sentAfter ON sent (stream, after);
          CREATE INDEX sentBefore ON sent (stream, before);
          CREATE INDEX openAnswer ON answer (state) WHERE state IN ('waiting', 'stored');
          """)
    }
    return try StateDatabase(directory: directory, migrator: migrator)
  }
}
