import GRDB
import Mailboxes
import Testing

/// Whoever is told of a state that cannot be used is told what to do.
@Suite struct MailboxErrorTests {
  private func hint(_ code: ResultCode) -> String? {
    MailboxError(ofDatabase: DatabaseError(resultCode: code))?.hint
  }

  @Test func `locked and full databases have a hint`() {
    #expect(hint(.SQLITE_BUSY)?.contains("stop the program that holds the database") == true)
    #expect(hint(.SQLITE_FULL)?.contains("free space on the disk") == true)
    #expect(hint(.SQLITE_CORRUPT)?.contains("distro doctor") == true)
    let error = DatabaseError(resultCode: .SQLITE_BUSY)
    #expect(MailboxError.state(path: "state.sqlite", error).hint == hint(.SQLITE_BUSY))
  }

  @Test func `other errors are none of a database`() {
    #expect(MailboxError(ofDatabase: CancellationError()) == nil)
  }
}
