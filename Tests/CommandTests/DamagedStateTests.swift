import Foundation
import TestSupport
import Testing

/// A state directory that is damaged, at a start and under a running daemon, in every role: a clear end, and what to do.
struct DamagedStateTests {
  enum Damage: CaseIterable { case garbage, zeroed, halved, emptied, deleted }
  enum Place: String, CaseIterable { case signer, web1, relay }

  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    try installation.writeRelay()
    try folder.write("serve.yaml", "signer: signer.yaml\n")
  }

  private func database(of place: Place) -> String { folder.path("var/\(place)/state.sqlite") }

  /// What a role does at a start; a relay is ended again.
  private func start(_ place: Place) throws -> (status: Int32, errors: String) {
    switch place {
    case .signer:
      let result = try installation.sendMain(wait: 0)
      return (result.status, result.errors)
    case .web1:
      let result = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
      return (result.status, result.errors)
    case .relay:
      let relay = try startDaemon(.relay)
      do {
        try relay.line(with: "event=ready")
        return (relay.end().status, relay.log)
      } catch {
        return (relay.wait(), relay.log)
      }
    }
  }

  private func startDaemon(_ place: Place) throws -> RunningProgram {
    let arguments =
      switch place {
      case .signer: ["serve", "--config", "serve.yaml"]
      case .web1: ["verify-apply", "--config", "web1.yaml"]
      case .relay: ["relay", "--config", "relay.yaml"]
      }
    return try RunningProgram(installation.program, arguments)
  }

  private func damage(_ place: Place, _ damage: Damage) throws {
    let path = database(of: place)
    let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    for name in [path + "-wal", path + "-shm"] where FileManager.default.fileExists(atPath: name) {
      try FileManager.default.removeItem(atPath: name)
    }
    let content: Data? =
      switch damage {
      case .garbage: Data(PatchCases.randomBytes(size, seed: 3))
      case .zeroed: Data(count: size)
      case .halved: try Data(contentsOf: URL(fileURLWithPath: path)).prefix(size / 2)
      case .emptied: Data()
      case .deleted: nil
      }
    if let content {
      try content.write(to: URL(fileURLWithPath: path))
    } else {
      try FileManager.default.removeItem(atPath: path)
    }
  }

  @Test(arguments: Place.allCases, Damage.allCases)
  func `damage is named at a start, and a state that is moved away is begun anew`(
    place: Place, damage: Damage
  ) throws {
    #expect(try start(place).status == 0)
    try self.damage(place, damage)
    let failed = try start(place)
    #expect(failed.status == 65 && failed.errors.contains("state is damaged"), "\(failed)")
    let status = try installation.run("status", "--config", "\(place).yaml")
    expectFailure(status, status: 65, "state is damaged", "distro doctor")
    let doctor = try Examination(installation, "\(place).yaml")
    doctor.expect("problem", "state", "state is damaged", advice: "it begins a new state")
    try FileManager.default.moveItem(
      atPath: folder.path("var/\(place)"), toPath: folder.path("var/\(place).damaged"))
    #expect(try start(place).status == 0)
  }

  /// What becomes of the state directory of a running daemon.
  enum Loss: CaseIterable { case movedAway, deleted, replaced, databaseDeleted, databaseReplaced }

  private func lose(_ place: Place, _ loss: Loss) throws {
    let files = FileManager.default
    let directory = folder.path("var/\(place)")
    let database = database(of: place)
    switch loss {
    case .movedAway: try files.moveItem(atPath: directory, toPath: directory + ".away")
    case .deleted: try files.removeItem(atPath: directory)
    case .replaced:
      // A signer's has a socket, which is no file to be copied.
      try Program.run(["cp", "-a", directory, directory + ".copy"], home: folder.path)
      try files.moveItem(atPath: directory, toPath: directory + ".away")
      try files.moveItem(atPath: directory + ".copy", toPath: directory)
    case .databaseDeleted: try files.removeItem(atPath: database)
    case .databaseReplaced:
      try files.copyItem(atPath: database, toPath: database + ".copy")
      try Program.run(["mv", database + ".copy", database], home: folder.path)
    }
  }

  @Test(arguments: Place.allCases, Loss.allCases)
  func `a state that is taken away from a daemon ends it`(place: Place, loss: Loss) throws {
    let daemon = try startDaemon(place)
    try daemon.line(with: "event=ready")
    try lose(place, loss)
    try daemon.line(with: "event=role-failed")
    #expect(daemon.wait() == 65, "\(daemon.log)")
    #expect(daemon.log.contains("code=state-damaged"), "\(daemon.log)")
  }

  /// What SQLite has in memory goes on for a while: the damage is found by what is read, or by the next start.
  @Test(arguments: Place.allCases, [Damage.zeroed, .halved])
  func `a database that is written over below a daemon is damage at the latest at its next start`(
    place: Place, damage: Damage
  ) throws {
    let daemon = try startDaemon(place)
    try daemon.line(with: "event=ready")
    let path = database(of: place)
    let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    if damage == .zeroed {
      try handle.write(contentsOf: Data(count: size))
    } else {
      try handle.truncate(atOffset: UInt64(size / 2))
    }
    try handle.close()
    // Before SQLite can write back what its log still has.
    let status = daemon.end(SIGKILL).status
    #expect([65, -SIGKILL].contains(status), "\(daemon.log)")
    for name in [path + "-wal", path + "-shm"] where FileManager.default.fileExists(atPath: name) {
      try FileManager.default.removeItem(atPath: name)
    }
    #expect(try startDaemon(place).wait() == 65)
    let doctor = try Examination(installation, "\(place).yaml")
    doctor.expect("problem", "state", "state is damaged", advice: "it begins a new state")
  }
}
