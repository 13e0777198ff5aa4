import Foundation
import TestSupport
import Testing

/// State directories that are another's, or damaged.
struct StateTests {
  private let installation: Installation

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  @Test func `second worker on one state is turned away`() throws {
    let daemon = try installation.startDaemon()
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml", "--once"),
      "another process works on it", "stop the daemon")
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    #expect(
      try installation.run("verify-apply", "--config", "web1.yaml", "--once").status == 0)
  }

  @Test func `file that is no database is named`() throws {
    try FileManager.default.createDirectory(
      atPath: installation.folder.path("var/signer"), withIntermediateDirectories: true)
    try installation.folder.write(
      "var/signer/state.sqlite", String(repeating: "no database ", count: 1_000))
    expectFailure(
      try installation.sendMain(wait: 0), status: 65,
      "var/signer/state.sqlite: state is damaged: file is not a database", "distro doctor")
  }

  @Test(
    .enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"),
    arguments: ["web1", "signer"])
  func `full disk says what to do`(who: String) throws {
    let folder = installation.folder
    try SmallDisk.mount(on: folder.path("var/\(who)"), byteCount: 96 << 10, home: folder.path) {
      let result =
        who == "web1"
        ? try installation.run("verify-apply", "--config", "web1.yaml", "--once")
        : try installation.sendMain(wait: 0)
      expectFailure(
        result, "state.sqlite: database or disk is full",
        "distro: hint: free space on the disk of 'state:'")
    }
  }
}
