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
    migrator.registerMigration("fleet") { try $0.execute(sql: fleet) }
    return try StateDatabase(directory: directory, migrator: migrator)
  }

  /// What is known of each recipient of each stream; and the place that a stream's heartbeats take in a mailbox.
  private static let fleet = """
    ALTER TABLE stream ADD COLUMN slot BLOB;
    ALTER TABLE stream ADD COLUMN heartbeatAt INTEGER;
    CREATE TABLE machine (
      stream INTEGER NOT NULL REFERENCES stream, recipient BLOB NOT NULL, name TEXT NOT NULL,
      standing TEXT, sequence INTEGER NOT NULL DEFAULT 0, revision BLOB, tree BLOB, seenAt INTEGER,
      refusal TEXT, refusalDetail TEXT, refusedAt INTEGER,
      healCount INTEGER NOT NULL DEFAULT 0, healAt INTEGER,
      PRIMARY KEY (stream, recipient)) WITHOUT ROWID;
    INSERT INTO machine (stream, recipient, name)
      SELECT DISTINCT sent.stream, answer.recipient, answer.name
      FROM sent JOIN answer ON answer.message = sent.message WHERE true
      ON CONFLICT DO NOTHING;
    INSERT OR REPLACE INTO machine (stream, recipient, name, standing, sequence, revision, seenAt,
        refusal, refusalDetail, refusedAt)
      SELECT stream, recipient, name, state, newest, revision, finishedAt, refusal, detail,
        CASE state WHEN 'refused' THEN finishedAt END
      FROM (SELECT sent.stream, answer.*, MAX(sent.sequence) AS newest
        FROM sent JOIN answer ON answer.message = sent.message
        WHERE answer.state IN ('applied', 'refused') GROUP BY sent.stream, answer.recipient);
    """
}
