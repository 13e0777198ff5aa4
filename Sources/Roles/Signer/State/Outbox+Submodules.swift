import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat

// Submodules of which was said that they arrive without their files: once is enough.
extension Outbox {
  /// Of one repository; whoever pushes more than that hears no more of them.
  private static let submoduleCountMax = 1_000

  /// Those of these paths that were never said, in their order; they are from here on.
  func noteSubmodules(
    _ paths: Set<TreePath>, of remote: RemoteName
  ) throws(SignerError) -> [TreePath] {
    guard !paths.isEmpty else { return [] }
    let known = try reading { database in
      try Set(
        Data.fetchAll(
          database.cachedStatement(sql: "SELECT path FROM submodule WHERE remote = ?"),
          arguments: [remote]))
    }
    let room = max(0, Self.submoduleCountMax - known.count)
    let new = paths.filter { !known.contains(Data($0.bytes)) }.sorted().prefix(room)
    guard !new.isEmpty else { return [] }
    return try writing { database in
      let statement = try database.cachedStatement(
        sql: "INSERT OR IGNORE INTO submodule (remote, path) VALUES (?, ?)")
      // Another process may have said it meanwhile.
      return try new.filter { path in
        try statement.execute(arguments: [remote, Data(path.bytes)])
        return database.changesCount > 0
      }
    }
  }
}
