import Foundation
import TestSupport
import Testing

/// Signer and applier that meet at an ActiveMQ, and listen nowhere.
@Suite(.enabled(if: ActiveMQServer.absence == nil, "activemq is not installed"))
struct ActiveMQPushTests {
  private let installation: Installation
  private let broker: ActiveMQServer
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    broker = try ActiveMQServer()
    try folder.writeSecret(ActiveMQServer.password, to: "password")
    try installation.carry(
      by: "activemq: {url: '\(broker.url)', user: distro, password-file: password}")
  }

  @Test func `a push by way of an ActiveMQ is applied and its receipt comes back after a kill too`()
    throws
  {
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.push("1\n", to: applier)
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [])
    after.expect("ok", "carrier", "is there, and lets us in: ActiveMQ/")
    after.expect("ok", "carrier", "is our queue; nothing waits")
    after.expect("ok", "trust", "its queue takes what we publish")
    broker.kill()
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "cannot be reached", advice: "check that the broker runs")
    try broker.start()
    try installation.push("2\n", to: applier)
    #expect(applier.end().status == 0)
    try installation.pushToOneThatIsOff("3\n")
  }

  @Test func `a login that ActiveMQ refuses says what is missing in its file`() throws {
    try folder.writeSecret("wrong", to: "password")
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "the broker refuses the login",
      advice: #"<authenticationUser username="distro""#)
  }

  /// The rights that doctor prints are enough, and fewer are not.
  @Test func `doctor prints the least rights at an ActiveMQ and they suffice`() throws {
    broker.kill()
    var settings = ActiveMQServer.Settings()
    settings.users = ["signer", "web1"].map {
      #"<authenticationUser username="\#($0)" password="\#(ActiveMQServer.password)" groups="\#($0),distro"/>"#
    }.joined()
    settings.rights = #"<authorizationEntry queue=">" read="none" write="none" admin="none"/>"#
    try broker.write(settings)
    try broker.start()
    for name in ["signer", "web1"] {
      try folder.edit("\(name).yaml", "user: distro", "user: \(name)")
      let poor = try Examination(installation, "\(name).yaml")
      let finding = poor.findings.first { $0.finding.contains("we may not read our queue") }
      let advice = try #require(finding?.advice)
      settings.rights += try #require(
        advice.firstMatch(of: /<authorizationEntry[^>]*\/>/)?.output.description)
    }
    broker.kill()
    try broker.write(settings)
    try broker.start()
    // Before the applier has made its queue, the signer may not.
    try Examination(installation, "signer.yaml").expect(
      "problem", "trust", "unknown-mailbox", advice: "start the daemon of web1")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.push("1\n", to: applier)
    #expect(try Examination(installation, "signer.yaml").problems == [])
    #expect(applier.end().status == 0)
  }

  @Test func `doctor names a size limit of ActiveMQ's that is too small`() throws {
    broker.kill()
    var settings = ActiveMQServer.Settings()
    settings.options = "?wireFormat.maxDataLength=100000"
    try broker.write(settings)
    try broker.start()
    try Examination(installation, "signer.yaml").expect(
      "problem", "trust", "maximum data length", advice: "wireFormat.maxDataLength")
  }
}

@Suite struct ActiveMQConfigurationTests {
  @Test(arguments: [
    ("{url: 'stomp://mq.example.org'}", "without TLS"),
    ("{url: 'stomp+ssl://distro:secret@mq'}", "password-file"),
    ("{url: 'stomp+ssl://mq', user: distro}", "belong together"),
    ("{url: 'stomp+ssl://mq', password-file: password}", "belong together"),
  ])
  func `an ActiveMQ that would be told too much or half a login is refused`(
    entry: String, words: String
  ) throws {
    let installation = try Installation()
    try installation.carry("web1", by: "activemq: \(entry)")
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}
