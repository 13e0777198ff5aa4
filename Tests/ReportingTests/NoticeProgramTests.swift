import Foundation
import Mail
import Programs
import Reporting
import TestSupport
import Testing

/// Notices that programs of this machine take: real ones, good and bad.
@Suite struct NoticeProgramTests {
  private let fleet: FleetFixture

  init() async throws { fleet = try await FleetFixture(["web1"]) }

  private func path(_ name: String) -> String { fleet.folder.path + "/" + name }

  private func content(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  /// A shell that works in the test's folder; `$1` and so on are what `more` says.
  private func shell(
    _ script: String, _ more: [String] = [], deadline: Duration = .seconds(60)
  ) -> NoticeProgram {
    NoticeProgram(
      "/bin/sh", ["-c", "cd '\(fleet.folder.path)' && { \(script)\n}", "sh"] + more,
      deadline: deadline)
  }

  private func route(_ way: NoticeRoute.Way) -> NoticeRoute {
    NoticeRoute(Set(NoticeKind.allCases), way, digestSeconds: 0)
  }

  /// Something happens, of which the program is told.
  private func tell(_ route: NoticeRoute) async throws {
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [route])
    try fleet.apply("web1")
  }

  private func line(with parts: String...) async throws -> String {
    try await requireLog(fleet) { lines in
      lines.contains { line in parts.allSatisfy { line.contains($0) } }
    }
    return try #require(
      fleet.log.lines.first { line in parts.allSatisfy { line.contains($0) } })
  }

  // MARK: - run

  @Test func `a program gets the notice on its standard input and in variables`() async throws {
    let words = ["$(touch shell)", "a b", "*", "'"]
    let program = shell(
      "cat >in; env >variables; printf '%s|' \"$@\" >words; echo paged; echo 'by mail' >&2", words)
    try await tell(route(.program(program)))
    let line = try await line(with: "notice-sent")
    #expect(line.contains("paged; by mail"))
    let notice = try JSONDecoder().decode(Notice.self, from: Data(try content("in").utf8))
    #expect(notice.events.map(\.subject) == ["web1"] && notice.counts == ["applied": 1])
    let variables = Dictionary(
      try content("variables").split(separator: "\n").map { line in
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts[1]))
      }
    ) { first, _ in first }
    #expect(variables["DISTRO_NOTICE"] == notice.id && variables["DISTRO_EVENTS"] == "applied")
    #expect(variables["DISTRO_APPLIED"] == "1" && variables["DISTRO_ROLLED_BACK"] == "0")
    #expect(variables["DISTRO_SUBJECT"]?.hasPrefix("distro: 1 applied: main of") == true)
    let own: Set = ["PATH", "LANG", "HOME", "PWD", "OLDPWD", "SHLVL", "_"]
    #expect(variables.keys.allSatisfy { own.contains($0) || $0.hasPrefix("DISTRO_") })
    #expect(try content("words") == words.map { $0 + "|" }.joined())
    #expect(try !fleet.folder.names.contains("shell"))
  }

  @Test func `a program that fails is named, and called again with the same notice`() async throws {
    let program = shell(
      "cat >>in; echo >>in; [ -e tried ] || { touch tried; echo 'no modem' >&2; exit 3; }")
    let route = route(.program(program))
    try await tell(route)
    let line = try await line(with: "notice-failed")
    #expect(line.contains("/bin/sh: ended with status 3: no modem"))
    #expect(line.contains("program-failed"))
    // A start does not wait for the end of the pause.
    try await fleet.start(notices: [route])
    _ = try await self.line(with: "notice-sent")
    let notices = try content("in").split(separator: "\n")
    #expect(notices.count == 2 && Set(notices).count == 1)
  }

  @Test func `a program that hangs is ended, with all that it has started`() async throws {
    let program = shell(
      """
      (trap '' TERM; sh -c 'echo $$ >child; exec sleep 600') &
      sh -c 'echo $$ >other; exec sleep 600' | cat &
      while [ ! -s child ] || [ ! -s other ]; do sleep 0.01; done
      echo $$ >own; exec sleep 600
      """, deadline: .seconds(5))
    try await tell(route(.program(program)))
    let line = try await line(with: "notice-failed")
    #expect(line.contains("sh: did not end within 5 s") && line.contains("program-deadline"))
    for name in ["own", "child", "other"] {
      let file = path(name)
      let isGone = try await becomesTrueLater { try !ProcessFile.isAlive(file) }
      #expect(isGone, "\(name)")
    }
  }

  @Test func `a program that says much without an end is heard to its end`() async throws {
    let program = shell(
      "yes | head -c 20000000; yes | head -c 20000000 >&2; echo done >&2; exit 4")
    try await tell(route(.program(program)))
    let line = try await line(with: "notice-failed")
    #expect(line.contains("ended with status 4") && line.contains("done"))
    #expect(line.utf8.count < 2_000)
  }

  @Test func `a program that is at work ends with us, and is called again`() async throws {
    let program = shell(
      "cat >>in; echo >>in; [ -e own ] || { echo $$ >own; exec sleep 600; }")
    let route = route(.program(program))
    try await tell(route)
    let own = path("own")
    let isRunning = try await becomesTrueLater {
      FileManager.default.contents(atPath: own)?.isEmpty == false
    }
    try #require(isRunning)
    try await fleet.start(notices: [route])
    #expect(try !ProcessFile.isAlive(own))
    _ = try await line(with: "notice-sent")
    #expect(fleet.log.count(of: "notice-failed") == 0)
    #expect(Set(try content("in").split(separator: "\n")).count == 1)
  }

  @Test func `a program that anyone could replace is not run`() async throws {
    let file = try fleet.folder.file("#!/bin/sh\ntouch '\(path("run"))'\n", mode: 0o757)
    let program = NoticeProgram(file)
    try await tell(route(.program(program)))
    let line = try await line(with: "notice-failed")
    #expect(line.contains("can be written by anyone") && line.contains("chmod o-w"))
    #expect(try !fleet.folder.names.contains("run"))
    #expect(throws: ProgramError.rights(file, mode: 0o757)) {
      try ReportingProbe.check(route(.program(program)))
    }
  }

  @Test func `a program that is missing is found by a look`() throws {
    let file = try fleet.folder.file("no program", mode: 0o600)
    for path in [path("none"), file, fleet.folder.path] {
      #expect(throws: ProgramError.missing(path)) {
        try ReportingProbe.check(route(.program(NoticeProgram(path))))
      }
    }
    #expect(try ReportingProbe.check(route(.program(shell("")))) == "can be run")
  }

  // MARK: - sendmail

  /// Keeps what it takes as `SMTPReceiver` does; fails as its receivers' names say.
  private func sendmail() throws -> NoticeProgram {
    let script = """
      import json, os, sys
      flags, to = sys.argv[2:-1], sys.argv[-1]
      if flags[:2] != ["-i", "-f"] or flags[3:] != ["--"]: sys.exit(64)
      if "unknown" in to: sys.exit(67)
      if "later" in to and not os.path.exists(sys.argv[1] + "/tried"):
          open(sys.argv[1] + "/tried", "w").close()
          print("queue is full", file=sys.stderr)
          sys.exit(75)
      content = sys.stdin.buffer.read().decode("ascii")
      mail = {"from": flags[2], "to": [to], "isEncrypted": False, "login": None, "content": content}
      with open(sys.argv[1] + "/" + to, "x") as file: json.dump(mail, file)
      """
    return NoticeProgram(
      "/usr/bin/python3", ["-c", script, fleet.folder.path])
  }

  private func mail(_ names: String...) throws -> NoticeRoute {
    route(
      .mail(
        MailRoute(
          to: try names.map { try MailAddress("\($0)@example.org") },
          from: try MailAddress("distro@example.org"), by: .sendmail(try sendmail()))))
  }

  private func received(_ name: String) throws -> SMTPReceiver.Mail {
    try JSONDecoder().decode(
      SMTPReceiver.Mail.self, from: Data(try content(name + "@example.org").utf8))
  }

  @Test func `a mail program's receivers get a mail each`() async throws {
    try await tell(mail("ops", "dev"))
    _ = try await line(with: "notice-sent")
    for name in ["ops", "dev"] {
      let mail = try received(name)
      #expect(mail.from == "distro@example.org" && mail.header("To") == "<\(name)@example.org>")
      #expect(mail.text(of: "Subject")?.hasPrefix("distro: 1 applied") == true)
      #expect(mail.header("Message-ID")?.hasSuffix("@example.org>") == true)
      #expect(mail.parts.count == 2 && mail.parts[0].hasPrefix("applied: web1"))
      // A program of this machine takes its ends of lines.
      #expect(!mail.content.contains("\r"))
    }
  }

  @Test func `a receiver that the mail program does not know is given up`() async throws {
    try await tell(mail("unknown", "ops"))
    let line = try await line(with: "notice-lost")
    #expect(line.contains("ended with status 67"))
    _ = try await self.line(with: "notice-sent")
    #expect(try received("ops").to == ["ops@example.org"])
  }

  @Test func `a mail program that fails for now is called again for that receiver alone`()
    async throws
  {
    let route = try mail("ops", "later")
    try await tell(route)
    let line = try await line(with: "notice-failed")
    #expect(line.contains("ended with status 75: queue is full"))
    try await fleet.start(notices: [route])
    // A second mail to the first one would be an error of the script's.
    _ = try await self.line(with: "notice-sent")
    #expect(try received("later").to == ["later@example.org"])
    #expect(fleet.log.count(of: "notice-failed") == 1)
  }
}
