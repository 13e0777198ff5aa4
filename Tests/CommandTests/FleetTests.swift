import Foundation
import GRDB
import GitModel
import TestSupport
import Testing

/// What `sign-and-send` does for machines that are elsewhere, and what `status` shows on either side.
struct FleetTests {
  private func fleet(_ installation: Installation) throws -> [[String: Any]] {
    let output = try installation.run("status", "--config", "signer.yaml", "--json").output
    return try #require(
      try JSONSerialization.jsonObject(with: Data(output)) as? [[String: Any]])
  }

  @Test func `machine that is elsewhere is healed within the run`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    for number in 2...3 {
      try installation.source.commit(["a": "\(number)\n"])
      #expect(try installation.sendMain().status == 0)
    }
    try installation.checkout.git("reset", "-q", "--hard", "HEAD~2")
    try installation.source.commit(["a": "4\n"])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)")
    // One line, the last word: not that it was behind on the way there.
    #expect(result.text.contains(" applied ") && !result.text.contains("behind"))
    try installation.expectEqual()
    let row = try #require(try fleet(installation).first)
    // Whether it stays well has to be seen.
    #expect(row["behind"] as? Int == 0 && row["healAttempts"] as? Int == 1)
    #expect(daemon.end().status == 0)
  }

  @Test func `empty path is healed by the next run`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try FileManager.default.removeItem(atPath: installation.checkout.path)
    try installation.source.commit(["a": "2\n"])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.text) \(result.errors) \(daemon.log)")
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }

  @Test func `status counts the commits that a machine lacks`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    for number in 2...4 {
      try installation.source.commit(["a": "\(number)\n"])
      #expect(try installation.sendMain(wait: 0).status == 0)
    }
    let row = try #require(try fleet(installation).first)
    #expect(row["behind"] as? Int == 3 && row["state"] as? String == "waiting")
    #expect(row["standing"] as? String == "applied" && row["seen"] is String)
    let table = try installation.run("status", "--config", "signer.yaml").text
    #expect(table.contains("  3  ") && table.contains("waits in the outbox"), "\(table)")
  }

  /// One of two machines is off.
  @Test func `quorum is enough`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    try installation.succeed("keygen", "web2")
    let path = installation.folder.path("signer.yaml")
    let text = try String(contentsOfFile: path, encoding: .utf8)
      .replacing("recipients: [", with: "recipients: [keys/web2.pub, ")
      .replacing(
        "repositories:",
        with: """
            - zeromq:
                connect: tcp://127.0.0.1:1
                server: keys/web2.pub
          repositories:
          """)
    try installation.folder.write("signer.yaml", text)
    let enough = try installation.send("--ref", "main", "--quorum", "1")
    #expect(enough.status == 0, "\(enough.errors)")
    try installation.expectEqual()
    try installation.source.commit(["a": "2\n"])
    expectFailure(try installation.send("--ref", "main", "--wait", "2", "--quorum", "2"))
    expectFailure(
      try installation.send("--ref", "main", "--quorum", "0"), status: 64, "--quorum takes")
    #expect(daemon.end().status == 0)
  }

  /// One machine refuses at once, the other one starts when that is known.
  @Test func `a machine that refuses takes nothing from the last word on another`() throws {
    let installation = try Installation()
    let folder = installation.folder
    let web1 = try installation.startDaemon()
    try installation.succeed("keygen", "web2")
    let endpoint = try FreePort.endpoint()
    let text = try String(contentsOfFile: folder.path("web1.yaml"), encoding: .utf8)
    try folder.write(
      "web2.yaml",
      text.replacing("web1", with: "web2").replacing("path: live", with: "path: live2")
        .replacing(installation.endpoint, with: endpoint))
    try folder.edit(
      "signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/web1.pub, keys/web2.pub]")
    try folder.edit(
      "signer.yaml", "repositories:",
      """
        - zeromq:
            connect: \(endpoint)
            server: keys/web2.pub
      repositories:
      """)
    try installation.source.commit(["a": "1\n"])
    #expect(try installation.send("--ref", "main", "--quorum", "1").status == 0)
    try installation.source.commit(["a": "2\n"])
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: installation.checkout.path + "/a"))
    let push = try RunningProgram(
      PipelineProgram("/bin/sh", in: folder),
      [
        "-c", "\"$0\" sign-and-send --config signer.yaml --ref main --wait 600 >said",
        Installation.executable,
      ])
    try web1.line(with: "reason=local-changes")
    let web2 = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web2.yaml"])
    #expect(push.wait() == 2)
    let said = try String(contentsOfFile: folder.path("said"), encoding: .utf8)
    #expect(said.contains("web1: main") && said.contains("refused: local-changes"), "\(said)")
    #expect(said.contains(/web2: main \w+ applied/), "\(said)")
    #expect(web1.end().status == 0 && web2.end().status == 0)
  }

  @Test func `checkout that hears nothing is stale in log status and metrics`() throws {
    let installation = try Installation(
      .init(applier: "metrics: web1.prom", checkout: "    stale-after-seconds: 1"))
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try daemon.line(with: "reason=no-heartbeat")
    let text = try installation.run("status", "--config", "web1.yaml")
    #expect(text.status == 2 && text.text.contains("stale: no heartbeat has ever come"))
    let json = try installation.run("status", "--config", "web1.yaml", "--json")
    #expect(json.status == 2)
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
    let row = try #require((root["checkouts"] as? [[String: Any]])?.first)
    #expect(root["stale"] as? Bool == true && row["stale"] as? String == "no-heartbeat")
    #expect(row["revision"] as? String == (try installation.source.id().hex))
    #expect(daemon.end().status == 0)
    let metrics = try String(
      contentsOfFile: installation.folder.path("web1.prom"), encoding: .utf8)
    #expect(metrics.contains("stale=\"no-heartbeat\"") && metrics.contains("} 1\n"), "\(metrics)")
  }

  /// A carrier that keeps everything back from the beginning.
  @Test func `checkout that never heard a heartbeat is stale after ten minutes`() throws {
    let installation = try Installation()
    try watch(installation)
    let unheard = "unheard: no heartbeat has come yet, stale in "
    try expectStatus(of: installation, 0, unheard)
    try makeWatchOlder(installation, bySeconds: 480)
    try expectStatus(of: installation, 0, unheard)
    let json = try installation.succeed("status", "--config", "web1.yaml", "--json")
    #expect(json.contains(#""freshness" : "unheard""#), "\(json)")
    try makeWatchOlder(installation, bySeconds: 121)
    try expectStatus(of: installation, 2, "stale: no heartbeat has ever come")
  }

  @Test func `checkout that expects no heartbeats is never stale`() throws {
    let installation = try Installation(.init(checkout: "    stale-after-seconds: never"))
    try watch(installation)
    try makeWatchOlder(installation, bySeconds: 90 * 86_400)
    try expectStatus(of: installation, 0, "unheard: no heartbeat is expected")
  }

  private func watch(_ installation: Installation) throws {
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    #expect(once.status == 0, "\(once.errors)")
  }

  private func makeWatchOlder(_ installation: Installation, bySeconds seconds: Int) throws {
    let state = try DatabaseQueue(path: installation.folder.path("var/web1/state.sqlite"))
    try state.write { database in
      try database.execute(
        // As if it was another boot: within one, nobody can set back the clock that is asked.
        sql: "UPDATE watched SET since = since - ?, boot = ''", arguments: [1_000 * seconds])
      #expect(database.changesCount == 1)
    }
    try state.close()
  }

  private func expectStatus(
    of installation: Installation, _ status: Int32, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try installation.run("status", "--config", "web1.yaml")
    #expect(
      result.status == status && result.text.contains(words), "\(result.text) \(result.errors)",
      sourceLocation: sourceLocation)
  }
}
