import Foundation
import TestSupport
import Testing

/// A state directory that is damaged, at a start and under a running daemon, in every role: a clear end, and what to do.
struct DamagedStateTests {
  enum Damage: CaseIterable { case garbage, zeroed, emptied, deleted }
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

  @Test(arguments: Place.allCases)
  func `a state that is taken away from a daemon ends it`(place: Place) throws {
    let daemon = try startDaemon(place)
    try daemon.line(with: "event=ready")
    try FileManager.default.moveItem(
      atPath: folder.path("var/\(place)"), toPath: folder.path("var/\(place).away"))
    try daemon.line(with: "event=role-failed")
    #expect(daemon.wait() == 65, "\(daemon.log)")
    #expect(daemon.log.contains("code=state-damaged"), "\(daemon.log)")
  }
}
