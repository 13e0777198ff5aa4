import GRDB
import Mailboxes
import Testing

/// Whoever is told of a state that cannot be used is told what to do.
@Suite struct MailboxErrorTests {
  private func hint(_ code: ResultCode) -> String? {
    MailboxError(ofDatabase: DatabaseError(resultCode: code))?.hint
  }

  @Test func lockedAndFullDatabasesHaveAHint() {
    #expect(hint(.SQLITE_BUSY)?.contains("another program holds the database") == true)
    #expect(hint(.SQLITE_FULL)?.contains("make room on the disk") == true)
    #expect(hint(.SQLITE_CORRUPT) == nil)
    let error = DatabaseError(resultCode: .SQLITE_BUSY)
    #expect(MailboxError.state(path: "state.sqlite", error).hint == hint(.SQLITE_BUSY))
  }

  @Test func otherErrorsAreNoneOfADatabase() {
    #expect(MailboxError(ofDatabase: CancellationError()) == nil)
  }
}
