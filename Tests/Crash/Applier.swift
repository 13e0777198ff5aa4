import Foundation
import GRDB
import TestSupport

/// An applier's daemon, and what lies on the disk below it.
struct Applier {
  let daemon: Daemon
  let checkout: Repository
  let state: State
  private let stagingDirectory: String

  init(_ name: String, _ tools: Tools) {
    daemon = Daemon(name, ["verify-apply", "--config", name + ".yaml"], tools)
    checkout = Repository(path: tools.home + "/\(name)/live", home: tools.home)
    state = State(directory: tools.home + "/\(name)/state")
    stagingDirectory = checkout.path + "/.git/distro-staging"
  }

  /// How far a step has come.
  enum Step: String, CaseIterable {
    case none
    /// New files are being completed beside the checkout; what is there is as it was.
    case staging
    /// Files are being moved into the checkout, or the branch is about to follow.
    case moving
  }

  /// What can be seen of it from outside.
  var step: Step {
    if FileManager.default.fileExists(atPath: stagingDirectory + "/moving") { return .moving }
    return stagedNames.isEmpty ? .none : .staging
  }

  var stagedNames: [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: stagingDirectory)
    } catch {
      return []
    }
  }

  /// Of one that does not run: whether a journal's entry is left, which the next start finishes.
  func hasJournal() throws -> Bool { try state.count("journal") > 0 }

  /// Locks and other files that nobody needs when nothing runs.
  func leftovers() throws -> [String] {
    let git = checkout.path + "/.git"
    let all = try FileManager.default.subpathsOfDirectory(atPath: git)
    let stale = all.filter { name in
      (name.hasSuffix(".lock") && name != "distro.lock") || name.hasPrefix("distro-staging/")
        || name.hasPrefix("objects/incoming-") || name.contains("/tmp_obj")
    }
    return stale.map { git + "/" + $0 } + (try isLockHeld() ? [git + "/distro.lock is held"] : [])
  }

  private func isLockHeld() throws -> Bool {
    let descriptor = open(checkout.path + "/.git/distro.lock", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }
}

/// A role's durable state, looked at from outside.
struct State {
  let directory: String

  private func read<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    let path = directory + "/state.sqlite"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    // Not read-only: after a kill there is a log to be recovered, and it is the next to open it who does that.
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    return try queue.inDatabase(body)
  }

  func count(_ table: String, _ condition: String = "true") throws -> Int {
    try read { database in
      guard try database.tableExists(table) else { return 0 }
      let query = "SELECT COUNT(*) FROM \(table) WHERE \(condition)"
      return try Int.fetchOne(database, sql: query) ?? 0
    } ?? 0
  }

  func rows(_ query: String) throws -> [String] {
    try read { database in try Row.fetchAll(database, sql: query).map { "\($0)" } } ?? []
  }

  var spool: [String] {
    get throws {
      let path = directory + "/spool"
      guard FileManager.default.fileExists(atPath: path) else { return [] }
      return try FileManager.default.contentsOfDirectory(atPath: path)
    }
  }
}
