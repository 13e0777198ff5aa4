package import GRDB

extension MailboxStore {
  package static func registerMigrations(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("mailboxes") { database in
      try database.execute(
        sql: """
          CREATE TABLE message (
            id BLOB PRIMARY KEY, chunkCount INTEGER NOT NULL, byteCount INTEGER NOT NULL,
            depositor BLOB NOT NULL, receivedAt INTEGER NOT NULL,
            storedAt INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE chunk (
            message BLOB NOT NULL REFERENCES message ON DELETE CASCADE, number INTEGER NOT NULL,
            bytes BLOB NOT NULL, PRIMARY KEY (message, number)) WITHOUT ROWID;
          CREATE TABLE delivery (
            position INTEGER PRIMARY KEY AUTOINCREMENT, mailbox BLOB NOT NULL,
            message BLOB NOT NULL REFERENCES message, slot BLOB);
          CREATE TABLE partial (
            depositor BLOB NOT NULL, id BLOB NOT NULL, offer BLOB NOT NULL, file TEXT NOT NULL,
            chunkCount INTEGER NOT NULL, byteCount INTEGER NOT NULL,
            PRIMARY KEY (depositor, id)) WITHOUT ROWID;
          CREATE TABLE published (
            message BLOB NOT NULL, mailbox BLOB NOT NULL, place TEXT NOT NULL,
            chunkCount INTEGER NOT NULL, PRIMARY KEY (message, mailbox, place)) WITHOUT ROWID;
          CREATE TABLE usage (
            role TEXT NOT NULL, name BLOB NOT NULL, byteCount INTEGER NOT NULL,
            messageCount INTEGER NOT NULL, PRIMARY KEY (role, name)) WITHOUT ROWID;
          CREATE INDEX deliveryByMailbox ON delivery (mailbox, position);
          CREATE INDEX deliveryByMessage ON delivery (message);
          CREATE INDEX deliveryBySlot ON delivery (mailbox, slot) WHERE slot IS NOT NULL;
          CREATE INDEX messageByAge ON message (storedAt);
          CREATE INDEX messageByDepositor ON message (depositor, storedAt);
          """)
      try database.execute(sql: StoreClock.table)
      try database.execute(sql: usageTriggers)
    }
  }

  /// Kept row by row, whatever changes the tables, so that asking costs nothing. A delivery goes before its message.
  private static let usageTriggers = """
    CREATE TRIGGER messageStored AFTER INSERT ON message BEGIN
      INSERT INTO usage VALUES ('depositor', NEW.depositor, NEW.byteCount, 1)
      ON CONFLICT (role, name) DO UPDATE
      SET byteCount = byteCount + excluded.byteCount, messageCount = messageCount + 1;
    END;
    CREATE TRIGGER messageRemoved AFTER DELETE ON message BEGIN
      UPDATE usage SET byteCount = byteCount - OLD.byteCount, messageCount = messageCount - 1
      WHERE role = 'depositor' AND name = OLD.depositor;
    END;
    CREATE TRIGGER deliveryMade AFTER INSERT ON delivery BEGIN
      INSERT INTO usage
        SELECT 'mailbox', NEW.mailbox, byteCount, 1 FROM message WHERE id = NEW.message
      ON CONFLICT (role, name) DO UPDATE
      SET byteCount = byteCount + excluded.byteCount, messageCount = messageCount + 1;
    END;
    CREATE TRIGGER publicationEnded AFTER DELETE ON delivery BEGIN
      DELETE FROM published WHERE message = OLD.message AND mailbox = OLD.mailbox;
    END;
    CREATE TRIGGER deliveryRemoved AFTER DELETE ON delivery BEGIN
      UPDATE usage
      SET messageCount = messageCount - 1,
        byteCount = byteCount - (SELECT byteCount FROM message WHERE id = OLD.message)
      WHERE role = 'mailbox' AND name = OLD.mailbox;
    END;
    """
}
