import Foundation
import TestSupport
import Testing

/// Signer and applier that meet at a RabbitMQ, and listen nowhere.
@Suite(.enabled(if: RabbitMQServer.absence == nil, "rabbitmq-server is not installed"))
struct RabbitMQPushTests {
  private let installation: Installation
  private let broker: RabbitMQServer
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    broker = try RabbitMQServer()
    try write(password: RabbitMQServer.password)
    for name in ["signer", "web1"] { try installation.connect(name, toBroker: broker.url) }
  }

  private func write(password: String) throws {
    let path = try folder.write("password", password + "\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }

  @Test func `a push is applied and its receipt comes back also after the broker was killed`()
    throws
  {
    let before = try Examination(installation, "signer.yaml")
    before.expect("ok", "carrier", "is there, and lets us in")
    before.expect(
      "warning", "carrier", "is not there: our daemon makes it", advice: "set_permissions")
    before.expect("problem", "trust", "unknown-mailbox", advice: "start the daemon of web1")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try push("1\n", applier)
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [])
    after.expect("ok", "carrier", "is a durable quorum queue; 0 messages wait")
    after.expect("ok", "trust", "its queue is there")
    after.expect("ok", "trust", "takes what we publish")
    broker.noteDeclaration()
    broker.waitForQueues()
    broker.kill()
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "cannot be reached", advice: "check that the broker runs")
    try broker.start()
    try push("2\n", applier)
    #expect(applier.end().status == 0)
    // One that is off gets it when it looks.
    try installation.source.commit(["a": "3\n"])
    #expect(try installation.sendMain(until: "stored, no receipt").status == 1)
    let once = try installation.run("verify-apply", "--once", "--config", "web1.yaml")
    #expect(once.status == 0, "\(once.errors)")
    try installation.expectEqual()
    #expect(try installation.send("--flush").status == 0)
  }

  private func push(_ content: String, _ applier: RunningProgram) throws {
    try installation.source.commit(["a": content])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
  }

  @Test func `a login that is refused says what to run at the broker`() throws {
    try write(password: "wrong")
    let result = try Examination(installation, "web1.yaml")
    result.expect(
      "problem", "carrier", "the broker refuses the login: 403",
      advice: "rabbitmqctl add_user distro")
    result.expect("problem", "carrier", "login", advice: #"'^distro\."#)
  }
}

@Suite struct RabbitMQConfigurationTests {
  @Test(arguments: [
    ("amqp://distro@mq.example.org/", "without TLS"),
    ("amqps://distro:secret@mq/", "password-file"),
  ])
  func `an address that would give the password away is refused`(
    url: String, words: String
  ) throws {
    let installation = try Installation()
    try installation.connect("web1", toBroker: url)
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}

extension Installation {
  /// In place of ZeroMQ.
  fileprivate func connect(_ name: String, toBroker url: String) throws {
    let path = folder.path("\(name).yaml")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false
    ).flatMap { line -> [String] in
      let word = line.drop { $0 == " " }
      let isOurs = ["server:", "connect:", "listen:"].contains { word.hasPrefix($0) }
      if isOurs { return [] }
      guard word == "- zeromq:" else { return [String(line)] }
      return ["  - rabbitmq: {url: '\(url)', password-file: password}"]
    }
    try folder.write("\(name).yaml", lines.joined(separator: "\n"))
  }
}
