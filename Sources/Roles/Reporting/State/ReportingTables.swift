import GRDB
import Mailboxes

extension StateDatabase {
  /// What was told and what is still to be told: a database of its own below the signer's state.
  static func reporting(below directory: String) throws -> StateDatabase {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("reporting") { try $0.execute(sql: tables) }
    return try StateDatabase(directory: directory, migrator: migrator)
  }

  /// `status`: what a host is to show (`state`, `text`) and what it was told last (`sentState`, `sentText`).
  /// `machine`: what the notices have been told of. `notice`: on its way, with its events as they were then.
  private static let tables = """
    CREATE TABLE status (
      id INTEGER PRIMARY KEY, remote TEXT NOT NULL, revision BLOB NOT NULL, kind INTEGER NOT NULL,
      context TEXT NOT NULL, branch TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL,
      sentState TEXT, sentText TEXT, sentCount INTEGER NOT NULL DEFAULT 0, external INTEGER,
      failureCount INTEGER NOT NULL DEFAULT 0, failure TEXT, isGivenUp INTEGER NOT NULL DEFAULT 0,
      UNIQUE (remote, revision, kind, context));
    CREATE INDEX statusOpen ON status (remote, kind, id)
      WHERE NOT isGivenUp AND (sentState IS NOT state OR sentText IS NOT text);
    CREATE TABLE machine (
      remote TEXT NOT NULL, branch TEXT NOT NULL, mailbox BLOB NOT NULL, applied BLOB,
      refused BLOB, isStale INTEGER NOT NULL DEFAULT 0, isUnseen INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (remote, branch, mailbox)) WITHOUT ROWID;
    CREATE TABLE host (
      kind TEXT NOT NULL, name TEXT NOT NULL, failure TEXT NOT NULL, isTold INTEGER NOT NULL,
      PRIMARY KEY (kind, name)) WITHOUT ROWID;
    CREATE TABLE pause (host TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE event (id INTEGER PRIMARY KEY, route TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX eventByRoute ON event (route, id);
    CREATE TABLE notice (
      route TEXT PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL,
      failureCount INTEGER NOT NULL DEFAULT 0, failure TEXT) WITHOUT ROWID;
    CREATE TABLE handed (notice TEXT NOT NULL, target TEXT NOT NULL,
      PRIMARY KEY (notice, target)) WITHOUT ROWID;
    CREATE TABLE lost (route TEXT PRIMARY KEY, count INTEGER NOT NULL, failure TEXT NOT NULL)
      WITHOUT ROWID;
    """
}
