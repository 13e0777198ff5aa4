import GRDB
import Host
import MessageFormat

/// What the age of a store's messages is measured with: how long the machines that it lay on have been up since it was made.
///
/// A step of the wall clock, while the program runs or between two runs, makes no message older. Time in
/// which the machine was off does not count, so that a message is kept for longer, never for less.
struct StoreClock: Sendable {
  /// What a power cut may take back.
  private static let writeStepMilliseconds: UInt64 = 60_000

  static let table = """
    CREATE TABLE clock (
      number INTEGER PRIMARY KEY CHECK (number = 1), age INTEGER NOT NULL, boot TEXT NOT NULL,
      sinceBoot INTEGER NOT NULL, wall INTEGER NOT NULL);
    """

  let sinceBoot: @Sendable () -> BootTime

  /// The last reading that was written down.
  private struct Reading: Codable, FetchableRecord {
    let age: UInt64
    let boot: String
    let sinceBoot: UInt64
    let wall: Timestamp

    /// Over a start of the machine: how long it has been up, unless less time than that has passed by the wall clock, as
    /// where the state came from another machine.
    func elapsed(until now: BootTime, wall time: Timestamp) -> UInt64 {
      if now.boot == boot {
        return now.milliseconds - min(now.milliseconds, sinceBoot)
      }
      return min(now.milliseconds, time.milliseconds - min(time, wall).milliseconds)
    }
  }

  /// Milliseconds; changes nothing. After a start of the machine it stands still until the next `advance`.
  func read(in database: Database) throws -> UInt64 {
    guard let last = try Self.last(in: database) else { return 0 }
    let now = sinceBoot()
    return last.age + (now.boot == last.boot ? last.elapsed(until: now, wall: last.wall) : 0)
  }

  /// Whether `advance` would write something.
  func isDue(at time: Timestamp, in database: Database) throws -> Bool {
    guard let last = try Self.last(in: database) else { return true }
    let now = sinceBoot()
    return last.boot != now.boot
      || last.elapsed(until: now, wall: time) >= Self.writeStepMilliseconds
  }

  /// Milliseconds; writes them down where the clock has gone on. `time` is the wall clock's.
  func advance(at time: Timestamp, in database: Database) throws -> UInt64 {
    let last = try Self.last(in: database)
    let now = sinceBoot()
    let elapsed = last?.elapsed(until: now, wall: time) ?? 0
    let age = (last?.age ?? 0) + elapsed
    guard last?.boot != now.boot || elapsed >= Self.writeStepMilliseconds else { return age }
    try database.cachedStatement(sql: "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?)")
      .execute(arguments: [
        Int64(clamping: age), now.boot, Int64(clamping: now.milliseconds), time,
      ])
    return age
  }

  private static func last(in database: Database) throws -> Reading? {
    try Reading.fetchOne(
      database.cachedStatement(sql: "SELECT age, boot, sinceBoot, wall FROM clock"))
  }
}

/// When a message came in: by the wall clock, for people and receipts, and by the store's, for its age.
struct ArrivalTime {
  let wall: Timestamp
  let age: UInt64
}
