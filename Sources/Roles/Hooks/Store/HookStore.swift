import GRDB
package import Mailboxes
package import MessageFormat

/// The role's tables. From any thread; what is written is on the disk when it returns, unless a function says otherwise.
package struct HookStore: Sendable {
  package let state: StateDatabase

  package init(state: StateDatabase) { self.state = state }

  // MARK: - What comes

  /// All in one commit, in their order.
  package func store(_ deliveries: [HookDelivery]) throws(MailboxError) -> [DeliveryOutcome] {
    do {
      return try state.queue.write { database in
        try deliveries.map { try store($0, in: database) }
      }
    } catch {
      throw MailboxError(error)
    }
  }

  private func store(_ delivery: HookDelivery, in database: Database) throws -> DeliveryOutcome {
    if let id = delivery.id {
      try database.execute(
        sql: "INSERT OR IGNORE INTO delivery VALUES (?, ?, ?, ?)",
        arguments: [delivery.host.rawValue, delivery.hook, id, delivery.receivedAt])
      guard database.changesCount > 0 else { return .repeated }
    }
    try database.execute(
      sql: """
        INSERT INTO hook (path, receivedAt, receivedCount, event) VALUES (?, ?, 1, ?)
        ON CONFLICT (path) DO UPDATE SET receivedAt = excluded.receivedAt,
          receivedCount = receivedCount + 1, event = excluded.event
        """, arguments: [delivery.hook, delivery.receivedAt, delivery.event])
    guard let refs = delivery.refs else { return .stored }
    for ref in refs.isEmpty || refs.count > HookLimits.refCountMax ? [""] : refs {
      // A new number: what is being handed over does not take it away.
      let since = try Timestamp.fetchOne(
        database, sql: "SELECT receivedAt FROM waiting WHERE remote = ? AND ref = ?",
        arguments: [delivery.remote, ref])
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO waiting (remote, ref, hook, receivedAt) VALUES (?, ?, ?, ?)
          """,
        arguments: [delivery.remote, ref, delivery.hook, since ?? delivery.receivedAt])
    }
    return .stored
  }

  /// Requests that were answered with an error, by hook and status; may be lost with a power cut. `""`: no hook's path.
  func count(_ refusals: [RefusalKey: Int], at now: Timestamp) throws(MailboxError) {
    do {
      try state.writeUnsynced { database in
        for (key, count) in refusals {
          try database.execute(
            sql: """
              INSERT INTO refusal VALUES (?, ?, ?, ?) ON CONFLICT (path, status)
              DO UPDATE SET count = count + excluded.count, lastAt = excluded.lastAt
              """, arguments: [key.path, key.status, count, now])
        }
      }
    } catch {
      throw MailboxError(error)
    }
  }

  // MARK: - What goes

  /// By repository, the longest waiting first.
  package func waiting() throws(MailboxError) -> [WaitingPush] {
    do {
      return try state.reading { database in
        let rows = try Row.fetchAll(
          database, sql: "SELECT number, remote, ref, receivedAt FROM waiting ORDER BY number")
        var order: [RemoteName] = []
        var groups: [RemoteName: [Row]] = [:]
        for row in rows {
          let remote: RemoteName = row["remote"]
          if groups[remote] == nil { order.append(remote) }
          groups[remote, default: []].append(row)
        }
        return order.map { remote in
          let rows = groups[remote, default: []]
          return WaitingPush(
            remote: remote, refs: rows.map { $0["ref"] },
            oldestAt: rows.map { $0["receivedAt"] }.min() ?? Timestamp(milliseconds: 0),
            lastNumber: rows.map { $0["number"] }.max() ?? 0)
        }
      }
    } catch {
      throw MailboxError(error)
    }
  }

  /// The signer has taken it. That it goes a second time after a power cut does no harm.
  package func remove(_ push: WaitingPush, at now: Timestamp) throws(MailboxError) {
    do {
      try state.writeUnsynced { database in
        try database.execute(
          sql: """
            UPDATE hook SET handedOverAt = ?, fault = NULL WHERE path IN
              (SELECT hook FROM waiting WHERE remote = ? AND number <= ?)
            """, arguments: [now, push.remote, push.lastNumber])
        try database.execute(
          sql: "DELETE FROM waiting WHERE remote = ? AND number <= ?",
          arguments: [push.remote, push.lastNumber])
      }
    } catch {
      throw MailboxError(error)
    }
  }

  /// Why the signer has not taken it: for `status`.
  func note(_ fault: String, about push: WaitingPush) throws(MailboxError) {
    do {
      try state.writeUnsynced { database in
        try database.execute(
          sql: """
            UPDATE hook SET fault = ? WHERE path IN (SELECT hook FROM waiting WHERE remote = ?)
            """, arguments: [fault, push.remote])
      }
    } catch {
      throw MailboxError(error)
    }
  }

  /// Forgets deliveries of four days ago, and what no signer has taken for so long; returns how many of the latter. What is
  /// ahead of now was stored by a wrong clock, and is as old as can be.
  package func sweep(at now: Timestamp, skewMilliseconds: UInt64) throws(MailboxError) -> Int {
    let memory = HookLimits.memoryMilliseconds
    let oldest = Timestamp(milliseconds: now.milliseconds - min(now.milliseconds, memory))
    let newest = now.adding(milliseconds: skewMilliseconds)
    do {
      let count = try state.writeUnsynced { database in
        try database.execute(
          sql: "DELETE FROM delivery WHERE receivedAt < ?", arguments: [oldest])
        // Since that clock was right again, the delivery may have been any time ago: it counts from now on.
        try database.execute(
          sql: "UPDATE delivery SET receivedAt = ? WHERE receivedAt > ?", arguments: [now, newest])
        try database.execute(
          sql: "UPDATE waiting SET receivedAt = ? WHERE receivedAt > ?", arguments: [now, newest])
        try database.execute(
          sql: "DELETE FROM waiting WHERE receivedAt < ?", arguments: [oldest])
        return database.changesCount
      }
      while try state.giveBackSpace() {}
      return count
    } catch {
      throw MailboxError(error)
    }
  }
}

/// Which answer, at which hook; `path` is empty where there is none.
struct RefusalKey: Hashable, Sendable {
  let path: String
  let status: Int
}
