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
    try folder.writeSecret(RabbitMQServer.password, to: "password")
    try installation.carry(by: "rabbitmq: {url: '\(broker.url)', password-file: password}")
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
    try installation.push("1\n", to: applier)
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
    try installation.push("2\n", to: applier)
    #expect(applier.end().status == 0)
    try installation.pushToOneThatIsOff("3\n")
  }

  @Test func `a login that is refused says what to run at the broker`() throws {
    try folder.writeSecret("wrong", to: "password")
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
    try installation.carry("web1", by: "rabbitmq: {url: '\(url)', password-file: password}")
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}
