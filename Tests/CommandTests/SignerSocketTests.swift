import Foundation
import TestSupport
import Testing

/// The socket of a signer's daemon: what knocks there, in which shape, and what it finds.
struct SignerSocketTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }
  private var source: PipelineRepository { installation.source }
  private var path: String { folder.path("signer.sock") }

  init() throws {
    installation = try Installation()
    try installation.use(.daemon)
    try source.commit(["a": "1\n"])
  }

  /// A request for the branch, as the program makes one.
  private func question(_ more: String = "", subject: String = "branch") -> String {
    """
    {"version": 1, "subject": "\(subject)", "repository": "\(source.path)", "isNamed": true,
     "isSnapshot": false, "patienceSeconds": 600, "unnamedCount": 0\(more)}
    """
  }

  private func ask(_ frames: [UInt8]) throws -> String {
    let knocker = try RawLocalConnection(to: path)
    knocker.send(frames)
    return try knocker.readToEnd()
  }

  private func expectSendWorks(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try source.commit(["next": UUID().uuidString])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
    try installation.expectEqual()
  }

  private func setMode(_ mode: Int, _ path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  // MARK: - The socket's file

  @Test func `socket of a killed daemon is replaced, and an orderly end removes it`() throws {
    let applier = try installation.startDaemon()
    let first = try installation.startSigner()
    #expect(first.end(SIGKILL).status == -SIGKILL)
    #expect(FileManager.default.fileExists(atPath: path))
    let second = try installation.startSigner()
    try expectSendWorks()
    second.expectEnd()
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(applier.end().status == 0)
  }

  @Test func `the doctor says whether a daemon listens, and which programs can ask it`() throws {
    let quiet = try Examination(installation, "signer.yaml")
    quiet.expect("ok", "socket", "no daemon listens")
    try folder.edit("signer.yaml", "socket: signer.sock", "socket: gone/signer.sock")
    try Examination(installation, "signer.yaml")
      .expect("warning", "socket", "its directory is not there")
    try folder.edit("signer.yaml", "socket: gone/signer.sock", "socket: signer.sock")
    let signer = try installation.startSigner()
    try Examination(installation, "signer.yaml").expect("ok", "socket", "a daemon listens; its own")
    try setMode(0o666, path)
    try Examination(installation, "signer.yaml")
      .expect("warning", "socket", "mode 0666 and group \(getgid()), not what 'socket:' says")
    signer.expectEnd()
    try setMode(0o777, folder.path)
    try Examination(installation, "signer.yaml")
      .expect("problem", "socket", "every user of this machine can write to its directory")
    try setMode(0o700, folder.path)
  }

  @Test func `a second daemon never takes the socket of a living one`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    try folder.edit("signer.yaml", "state: var/signer", "state: var/other")
    let second = try installation.program.run(["serve", "--config", "serve.yaml"])
    expectFailure(second, "signer.sock: another process listens there")
    try folder.edit("signer.yaml", "state: var/other", "state: var/signer")
    try expectSendWorks()
    #expect(applier.end().status == 0)
  }

  @Test func `a socket that a tool removed is made again`() throws {
    let signer = try installation.startSigner()
    try FileManager.default.removeItem(atPath: path)
    try #require(becomesTrue { FileManager.default.fileExists(atPath: path) })
    let said = "event=taking-requests"
    #expect(becomesTrue { signer.log.components(separatedBy: said).count == 3 }, "\(signer.log)")
    signer.expectEnd()
  }

  @Test func `a reload keeps the socket, and no request is lost`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    let signer = try #require(installation.signer)
    func inode() throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    }
    let before = try inode()
    for round in 1...3 {
      let sends = try (1...4).map { number in
        try source.commit(["round": "\(round) \(number)\n"])
        return try installation.startSend("--ref", "main")
      }
      kill(signer.pid, SIGHUP)
      for send in sends { #expect(send.wait() == 0, "\(send.log)") }
      try installation.expectEqual()
    }
    #expect(try inode() == before)
    #expect(signer.log.contains("event=reloaded"))
    #expect(applier.end().status == 0)
  }

  @Test(arguments: [
    ("socket: {path: signer.sock, group: no-such-group}", "no group 'no-such-group'"),
    ("socket: {path: signer.sock, mode: 0777}", "0600 to 0666 expected"),
    ("socket: {path: signer.sock, mod: 0660}", "did you mean 'mode'?"),
    ("socket: []", "text expected, found a list"),
  ])
  func `a socket that cannot be is named before anything starts`(
    line: String, words: String
  ) throws {
    try folder.edit("signer.yaml", "socket: signer.sock", line)
    let result = try installation.program.run(["serve", "--config", "serve.yaml"])
    expectFailure(result, status: 78, "socket", words)
  }

  // MARK: - What knocks

  @Test func `a repository that is not configured is refused by its name`() throws {
    try folder.write("elsewhere", "")
    let result = try installation.send(
      "--ref", "main", "--repository", folder.path("elsewhere"), "--wait", "0")
    expectFailure(result, "\(folder.path("elsewhere")) is not a configured repository")
    expectFailure(
      try installation.send("--ref", "other", "--wait", "0"), "other is not among the branches")
  }

  /// Whoever may knock may have sent what the branch holds, and nothing else.
  @Test func `a revision that the branch does not hold is refused`() throws {
    try source.git("checkout", "-q", "-b", "secret")
    let secret = try source.commit(["secret": "s\n"])
    try source.git("checkout", "-q", "main")
    expectFailure(
      try installation.send("--ref", "main", "--to", secret.hex, "--wait", "0"), "is not on main")
    let status = try installation.run("status", "--config", "signer.yaml").text
    #expect(status.contains("nothing was sent yet") && status.contains("was never sent"))
  }

  static let malformed: [([UInt8], String)] = [
    (Array("GET / HTTP/1.1\r\n\r\n".utf8), "over the limit of 65536"),
    ([0xff, 0xff, 0xff, 0xff], "a frame of 4294967295 bytes is over the limit"),
    (RawLocalConnection.frame("no JSON"), "is not in the documented form"),
    (RawLocalConnection.frame("{}"), "is not in the documented form"),
    (
      RawLocalConnection.frame(String(repeating: "[", count: 60_000)),
      "is not in the documented form"
    ),
    (
      RawLocalConnection.frame(
        #"{"version": 2, "subject": "outbox", "repository": "/", "isNamed": true, "#
          + #""isSnapshot": false, "patienceSeconds": 1, "unnamedCount": 0}"#), "version"
    ),
    (
      RawLocalConnection.frame(
        #"{"version": 1, "subject": "outbox", "repository": "", "isNamed": true, "#
          + #""isSnapshot": false, "patienceSeconds": 1, "unnamedCount": 0}"#),
      "is not named"
    ),
    (
      RawLocalConnection.frame(
        #"{"version": 1, "subject": "outbox", "repository": "/", "isNamed": true, "#
          + #""isSnapshot": false, "patienceSeconds": 99999999, "unnamedCount": 0}"#),
      "seconds may be waited"
    ),
  ]

  @Test func `what is no request gets a clear error, and the daemon goes on`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    for (bytes, words) in Self.malformed {
      let answer = try ask(bytes)
      #expect(answer.contains("request-invalid") || answer.contains("daemon-version"), "\(answer)")
      #expect(answer.contains(words), "\(answer)")
    }
    // More lines than any push has, and a request that ends in the middle.
    let line = String(repeating: "x", count: 60_000)
    let endless = try RawLocalConnection(to: path)
    endless.sendFrame(question(subject: "pushes"))
    for _ in 0..<80 { endless.sendFrame("[\"\(line)\"]") }
    #expect(try endless.readToEnd().contains("too many branches"))
    let half = try RawLocalConnection(to: path)
    half.send([0, 0, 1, 0] + Array("{\"version\"".utf8))
    half.endSending()
    #expect(try !half.readToEnd().contains("result"))
    try expectSendWorks()
    #expect(installation.signer?.log.contains("event=request-rejected") == true)
    #expect(applier.end().status == 0)
  }

  @Test func `a knocker that is slow, silent or reads nothing keeps no other waiting`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    let silent = try (0..<20).map { _ in try RawLocalConnection(to: path) }
    let deaf = try (0..<20).map { _ in
      let knocker = try RawLocalConnection(to: path)
      knocker.sendFrame(question(#", "ref": "main""#))
      return knocker
    }
    let slow = try RawLocalConnection(to: path)
    for byte in RawLocalConnection.frame(question(#", "ref": "main""#)) { slow.send([byte]) }
    try expectSendWorks()
    #expect(try slow.readToEnd().contains("\"verdict\":\"applied\""))
    try #require(installation.signer).expectEnd()
    #expect(silent.count + deaf.count == 40)
    #expect(applier.end().status == 0)
  }

  @Test func `a knocker that goes away does not stop its push`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    let commit = try source.commit(["a": "2\n"])
    do {
      let knocker = try RawLocalConnection(to: path)
      knocker.sendFrame(question(#", "ref": "main""#))
    }
    try #require(becomesTrue { installation.checkout.stands(at: commit.hex) })
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }

  /// More than there are places.
  @Test func `two hundred at once are all served, in the order of the branch`() throws {
    let applier = try installation.startDaemon()
    try expectSendWorks()
    let knockers = try (0..<200).map { number in
      if number % 20 == 0 { try source.commit(["a": "\(number)\n"]) }
      let knocker = try RawLocalConnection(to: path)
      knocker.sendFrame(question(#", "ref": "main""#))
      return knocker
    }
    for knocker in knockers {
      let answer = try knocker.readToEnd()
      let isApplied = answer.contains("\"verdict\":\"applied\"")
      #expect(isApplied, "\(answer.filter { $0 >= " " })")
    }
    try installation.expectEqual()
    #expect(!applier.log.contains("event=refused") && !applier.log.contains("event=behind"))
    #expect(applier.end().status == 0)
  }
}
