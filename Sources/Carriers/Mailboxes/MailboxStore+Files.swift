import Foundation
import GRDB
import MessageFormat
import Spool

extension MailboxStore {
  /// A run that was killed between a file's name and its row, or between the row's end and the file's, leaves a file
  /// without a row. A power cut may bring back a row that was removed with its file: a file is durable before its row.
  func reconcileFiles() throws(MailboxError) {
    try writing { database in
      let names = Set(try state.spool.names())
      let partials = try Partial.all(in: database)
      let kept = Set(partials.map(\.file))
      for name in names {
        let isAbandoned =
          if let id = MessageWriter.messageID(ofFile: name) {
            try !Self.contains(id, in: database)
          } else {
            Partial.isFileName(name) && !kept.contains(name)
          }
        if isAbandoned { try state.spool.remove(name) }
      }
      try Self.removeMessages(without: names, in: database)
      for partial in partials where !names.contains(partial.file) {
        try partial.remove(in: database)
      }
    }
  }

  private static func removeMessages(
    without names: Set<String>, in database: Database
  ) throws {
    let rows = try Data.fetchAll(
      database, sql: "SELECT id FROM message WHERE byteCount > ?",
      arguments: [Int64(inlineByteCountMax)])
    for row in rows {
      guard let id = MessageID(Array(row)), !names.contains(MessageWriter.fileName(of: id))
      else { continue }
      try removeEverywhere(row, in: database)
    }
  }
}
