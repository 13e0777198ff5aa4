import GRDB
package import Mailboxes

extension StateDatabase {
  /// The signer's state: mailboxes as outbox, streams with their sequence, what was sent, and what each recipient says.
  package static func signer(directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    MailboxStore.registerMigrations(in: &migrator)
    migrator.registerMigration("signer") { database in
      try database.execute(sql: tables)
      try database.execute(sql: triggers)
    }
    return try StateDatabase(directory: directory, migrator: migrator)
  }

  /// `recipient.expected`, `expectedTree`, `waitingCount` and `newest` follow from `answer`; triggers keep them.
  private static let tables = """
    CREATE TABLE stream (
      id INTEGER PRIMARY KEY, remote TEXT NOT NULL, ref TEXT NOT NULL, sequence INTEGER NOT NULL,
      revision BLOB NOT NULL, tree BLOB NOT NULL, digest BLOB NOT NULL,
      heartbeatAt INTEGER, isFollowed INTEGER NOT NULL DEFAULT 0,
      forgotten INTEGER NOT NULL DEFAULT 0, UNIQUE (remote, ref));
    CREATE TABLE tip (
      remote TEXT NOT NULL, ref TEXT NOT NULL, revision BLOB NOT NULL,
      PRIMARY KEY (remote, ref)) WITHOUT ROWID;
    CREATE TABLE submodule (
      remote TEXT NOT NULL, path BLOB NOT NULL, PRIMARY KEY (remote, path)) WITHOUT ROWID;
    CREATE TABLE heartbeat (id INTEGER PRIMARY KEY CHECK (id = 1), counter INTEGER NOT NULL);
    CREATE TABLE heartbeatSlot (part INTEGER PRIMARY KEY, slot BLOB NOT NULL);
    CREATE TABLE sent (
      message BLOB PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream,
      sequence INTEGER NOT NULL, before BLOB, after BLOB NOT NULL, tree BLOB NOT NULL,
      kind TEXT NOT NULL, byteCount INTEGER NOT NULL, createdAt INTEGER NOT NULL,
      UNIQUE (stream, sequence)) WITHOUT ROWID;
    CREATE TABLE answer (
      message BLOB NOT NULL REFERENCES sent, recipient BLOB NOT NULL,
      stream INTEGER NOT NULL REFERENCES stream, sequence INTEGER NOT NULL,
      state TEXT NOT NULL, storedAt INTEGER, finishedAt INTEGER, refusal TEXT, detail TEXT,
      revision BLOB, PRIMARY KEY (message, recipient)) WITHOUT ROWID;
    CREATE TABLE recipient (
      stream INTEGER NOT NULL REFERENCES stream, mailbox BLOB NOT NULL, name TEXT NOT NULL,
      standing TEXT, sequence INTEGER NOT NULL DEFAULT 0, counter INTEGER NOT NULL DEFAULT 0,
      revision BLOB, tree BLOB, seenAt INTEGER,
      refusal TEXT, refusalDetail TEXT, refusedAt INTEGER, block TEXT, blockDetail TEXT,
      healCount INTEGER NOT NULL DEFAULT 0, healAt INTEGER,
      fullPackCount INTEGER NOT NULL DEFAULT 0, fullPackAt INTEGER,
      expected BLOB, expectedTree BLOB, waitingCount INTEGER NOT NULL DEFAULT 0, newest BLOB,
      PRIMARY KEY (stream, mailbox)) WITHOUT ROWID;
    CREATE INDEX sentAfter ON sent (stream, after);
    CREATE INDEX sentBefore ON sent (stream, before);
    CREATE INDEX openAnswer ON answer (stream, recipient, sequence)
      WHERE state IN ('waiting', 'stored');
    CREATE INDEX expectantRecipient ON recipient (stream) WHERE expected IS NOT NULL;
    CREATE INDEX strayRecipient ON recipient (stream) WHERE standing IN ('behind', 'refused');
    """

  private static let triggers = """
    CREATE TRIGGER answerMade AFTER INSERT ON answer BEGIN
      DELETE FROM answer WHERE recipient = NEW.recipient
        AND message = (SELECT newest FROM recipient
          WHERE stream = NEW.stream AND mailbox = NEW.recipient)
        AND sequence <= (SELECT forgotten FROM stream WHERE id = NEW.stream)
        AND state NOT IN ('waiting', 'stored');
      UPDATE recipient SET newest = NEW.message,
        waitingCount = waitingCount + (NEW.state = 'waiting'),
        (expected, expectedTree) = (SELECT after, tree FROM sent WHERE message = NEW.message)
      WHERE stream = NEW.stream AND mailbox = NEW.recipient;
    END;
    CREATE TRIGGER answerTaken AFTER UPDATE OF state ON answer
    WHEN OLD.state = 'waiting' AND NEW.state <> 'waiting' BEGIN
      UPDATE recipient SET waitingCount = waitingCount - 1
      WHERE stream = NEW.stream AND mailbox = NEW.recipient;
    END;
    CREATE TRIGGER answerClosed AFTER UPDATE OF state ON answer
    WHEN OLD.state IN ('waiting', 'stored') AND NEW.state NOT IN ('waiting', 'stored') BEGIN
      \(expectation(of: "NEW"))
      DELETE FROM answer WHERE message = NEW.message AND recipient = NEW.recipient
        AND sequence <= (SELECT forgotten FROM stream WHERE id = NEW.stream)
        AND message IS NOT (SELECT newest FROM recipient
          WHERE stream = NEW.stream AND mailbox = NEW.recipient);
    END;
    CREATE TRIGGER answerForgotten AFTER DELETE ON answer
    WHEN OLD.state IN ('waiting', 'stored') BEGIN
      UPDATE recipient SET waitingCount = waitingCount - (OLD.state = 'waiting')
      WHERE stream = OLD.stream AND mailbox = OLD.recipient;
      \(expectation(of: "OLD"))
    END;
    """

  /// Where the newest message leads that the recipient has not answered yet.
  private static func expectation(of row: String) -> String {
    """
    UPDATE recipient SET (expected, expectedTree) = (
      SELECT sent.after, sent.tree FROM answer JOIN sent ON sent.message = answer.message
      WHERE answer.stream = \(row).stream AND answer.recipient = \(row).recipient
      AND answer.state IN ('waiting', 'stored') ORDER BY answer.sequence DESC LIMIT 1)
    WHERE stream = \(row).stream AND mailbox = \(row).recipient;
    """
  }
}
