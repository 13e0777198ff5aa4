import Foundation
import GRDB
import MessageFormat

/// How much of a message that is on its way in is on the disk, whatever happens: its row in the database.
///
/// A file's name is never used again: a row that a power cut brings back does not go with the bytes of another message.
struct Partial {
  private static let suffix = ".partial"

  let depositor: Mailbox
  let offer: DepositOffer
  let file: String
  /// What was synced; 0: nothing is kept yet, and the file has no name.
  var chunkCount: UInt32 = 0
  var byteCount: UInt64 = 0

  init(_ offer: DepositOffer, from depositor: Mailbox) {
    (self.offer, self.depositor) = (offer, depositor)
    file = "\(offer.id.hex).\(String(UInt64.random(in: 0 ... .max), radix: 16))\(Self.suffix)"
  }

  private init(_ row: Row) throws {
    guard let depositor = Mailbox(Array(row["depositor"] as Data)),
      case .deposit(let offer) = try CarrierRequest(decoding: Array(row["offer"] as Data))
    else { preconditionFailure("the database holds an offer that is none") }
    (self.offer, self.depositor) = (offer, depositor)
    file = row["file"]
    chunkCount = UInt32(row["chunkCount"] as Int64)
    byteCount = UInt64(row["byteCount"] as Int64)
  }

  /// The chunks that were synced, as `MessageWriter` writes them.
  var fileByteCount: UInt64 {
    byteCount + UInt64(chunkCount) * MessageWriter.recordHeaderByteCount
  }

  private var key: [Data] { [Data(depositor.bytes), Data(offer.id.bytes)] }

  /// `false`: another run is at the same message, and the row is its.
  func write(to database: Database) throws -> Bool {
    try database.execute(
      sql: """
        INSERT INTO partial VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (depositor, id) DO UPDATE
        SET chunkCount = excluded.chunkCount, byteCount = excluded.byteCount
        WHERE file = excluded.file
        """,
      arguments: StatementArguments(key)
        + [
          Data(CarrierRequest.deposit(offer).encoded()), file, chunkCount, Int64(byteCount),
        ])
    return database.changesCount == 1
  }

  func remove(in database: Database) throws {
    try database.execute(
      sql: "DELETE FROM partial WHERE depositor = ? AND id = ? AND file = ?",
      arguments: StatementArguments(key) + [file])
  }
}

extension Partial {
  static func find(
    _ id: MessageID, from depositor: Mailbox, in database: Database
  ) throws -> Partial? {
    try Row.fetchOne(
      database, sql: "SELECT * FROM partial WHERE depositor = ? AND id = ?",
      arguments: [Data(depositor.bytes), Data(id.bytes)]
    ).map { try Partial($0) }
  }

  static func all(in database: Database) throws -> [Partial] {
    try Row.fetchAll(database, sql: "SELECT * FROM partial").map { try Partial($0) }
  }

  static func isFileName(_ name: String) -> Bool { name.hasSuffix(suffix) }
}
