import Foundation
import Glibc
import TestSupport
import Testing

/// `before-apply`, `after-apply`, `on-failure` and `health` of a configuration, with the programs as they are installed.
struct CheckoutCommandTests {
  private static func installation(_ checkout: String) throws -> Installation {
    var options = Installation.Options()
    options.checkout = checkout
    let installation = try Installation(options)
    try installation.source.commit(["a": "1\n"])
    return installation
  }

  @Test func `a push whose revision does not work goes back, and the signer says so`() throws {
    let server = try HTTPReceiver()
    let installation = try Self.installation(
      """
          after-apply: {run: [/bin/sh, -c, "echo $DISTRO_AFTER >after-apply"], timeout-seconds: 10}
          on-failure: {run: "echo \\"$DISTRO_REASON\\" >../reason", shell: true}
          health: {get: "\(server.url)/healthz", within-seconds: 2}
      """)
    let daemon = try installation.startDaemon()
    let first = try installation.sendMain()
    #expect(first.status == 0 && first.text.contains(" applied "), "\(first.errors)")
    let before = try installation.source.id()
    let path = installation.checkout.path
    #expect(
      try String(contentsOfFile: path + "/after-apply", encoding: .utf8) == before.hex + "\n")
    server.answer { _ in .answer(500) }
    try installation.source.commit(["a": "2\n"])
    let second = try installation.sendMain()
    #expect(second.status == 2, "\(second.errors)")
    #expect(second.text.contains("rolled-back") && second.text.contains("answered 500"))
    #expect(try installation.checkout.id() == before)
    #expect(try String(contentsOfFile: path + "/a", encoding: .utf8) == "1\n")
    let reason = try String(
      contentsOfFile: installation.folder.path("reason"), encoding: .utf8)
    #expect(reason.hasPrefix("health: \(server.url)/healthz answered 500"))
    server.answer { _ in .answer(200) }
    try installation.source.commit(["a": "3\n"])
    let third = try installation.sendMain()
    #expect(third.status == 0, "\(third.text)\(third.errors)")
    #expect(try installation.checkout.id() == installation.source.id())
    #expect(daemon.end().status == 0)
  }

  @Test func `a daemon ends within moments though a command hangs, and the next one runs it again`()
    throws
  {
    let installation = try Self.installation(
      """
          after-apply:
            {run: "echo ran >>../runs; while ! test -e ../go; do sleep 0.1; done", shell: true}
      """)
    let daemon = try installation.startDaemon()
    _ = try installation.send("--ref", "main", "--wait", "3")
    let runs = installation.folder.path("runs")
    #expect(becomesTrue { FileManager.default.fileExists(atPath: runs) })
    let begin = ContinuousClock.now
    #expect(daemon.end().status == 0)
    #expect(.now - begin < .seconds(30))
    try installation.folder.write("go", "")
    let next = try installation.startDaemon()
    let sent = try installation.sendMain()
    #expect(sent.status == 0, "\(sent.text)\(sent.errors)")
    #expect(try String(contentsOfFile: runs, encoding: .utf8) == "ran\nran\n")
    #expect(next.end().status == 0)
  }

  @Test func `commands that cannot be are named with their line`() throws {
    let installation = try Installation()
    func check(
      _ lines: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    )
      throws
    {
      installation.options.checkout = lines
      try installation.writeApplier()
      let result = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
      #expect(result.status == 78, sourceLocation: sourceLocation)
      for word in ["web1.yaml:12"] + words {
        #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: sourceLocation)
      }
    }
    try check("    after-apply: {run: reload}", "a list expected, found text")
    try check("    after-apply: {run: [/bin/true], shell: true}", "which the shell reads")
    try check("    after-apply: {rum: [/bin/true]}", "unknown key 'rum'", "did you mean 'run'?")
    try check("    after-apply: {run: []}", "a program and 49 arguments at most expected")
    try check("    after-apply: {run: [/bin/true], user: no-such-user}", "no such user")
    try check("    after-apply: {run: [/bin/true], group: root}", "needs a 'user:'")
    try check("    health: {within-seconds: 3}", "exactly one of these expected: get, run")
    try check("    health: {get: \"ftp://a/\"}", "begins with neither https: nor http:")
    try check("    health: {get: \"http://a/\", shell: true}", "'get' asks a server instead")
    try check("    health: {get: \"http://a/\", on-failure: weep}", "roll-back or keep expected")
    try check("    health: {get: \"http://a/\", within-seconds: 3601}", "over the limit of 3600")
  }

  @Test(.enabled(if: getuid() == 0, "only root can give a program another user"))
  func `a command runs as the user that the configuration names`() throws {
    let installation = try Self.installation(
      """
          after-apply:
            run: [/bin/sh, -c, "id -un; id -gn; cat \\"$DISTRO_CHANGED_FILES\\"; echo $HOME; exit 1"]
            user: nobody
      """)
    let daemon = try installation.startDaemon()
    let sent = try installation.sendMain()
    #expect(
      sent.status == 2 && sent.sentence.contains("nobody; nogroup; a; /nonexistent"),
      "\(sent.status): \(sent.text)\(sent.errors)")
    #expect(daemon.end().status == 0)
  }

  @Test func `the doctor names a command that is not there`() throws {
    let installation = try Self.installation(
      "    before-apply: {run: [/usr/bin/no-such-program]}")
    let result = try installation.run("doctor", "--config", "web1.yaml")
    #expect(result.status != 0)
    #expect(result.sentence.contains("/usr/bin/no-such-program"), "\(result.text)")
  }

  @Test func `a checkout with releases is what its page says`() throws {
    var options = Installation.Options()
    options.checkout = "    layout: releases\n    keep: 2\n    shared: [.env, storage]"
    let installation = try Installation(options)
    let (path, live) = (installation.checkout.path, installation.folder.path("live"))
    #expect(path == live)
    try FileManager.default.createDirectory(
      atPath: live + "/shared/storage", withIntermediateDirectories: true)
    try installation.folder.write("live/shared/.env", "A=1\n")
    let daemon = try installation.startDaemon()
    for number in 1...4 {
      try installation.source.commit(["a": "\(number)\n"])
      #expect(try installation.sendMain().status == 0)
      let current = PipelineRepository(at: live + "/current", in: installation.folder)
      #expect(try current.id() == installation.source.id() && current.status() == "")
      #expect(try String(contentsOfFile: live + "/current/.env", encoding: .utf8) == "A=1\n")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: live + "/releases").count == 2)
    let doctor = try installation.run("doctor", "--config", "web1.yaml")
    #expect(doctor.sentence.contains("main, at"), "\(doctor.text)")
    #expect(
      try installation.run("status", "--config", "web1.yaml").text.contains(
        try installation.source.id().hex.prefix(12)))
    try FileManager.default.removeItem(atPath: live + "/shared/storage")
    let warned = try installation.run("doctor", "--config", "web1.yaml")
    #expect(warned.sentence.contains("each release has a link to it"), "\(warned.text)")
    #expect(daemon.end().status == 0)
  }
}
