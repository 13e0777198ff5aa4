import Foundation
import Glibc
import IronMQServer
import TestSupport
import Testing

/// Signer and applier that meet at a server that behaves as IronMQ's documentation says, and listen nowhere.
@Suite final class IronMQPushTests {
  private let installation: Installation
  private let server: ConformanceServer
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    server = try ConformanceServer()
    try folder.writeSecret(ConformanceServer.token, to: "token")
    try installation.carry(
      by:
        "ironmq: {host: '\(server.url)', project: \(ConformanceServer.project), token-file: token}"
    )
  }

  deinit { server.stop() }

  @Test func `a push is applied and its receipt comes back also after the server was away`() throws
  {
    let before = try Examination(installation, "signer.yaml")
    before.expect("ok", "carrier", "is there, and takes the token")
    before.expect(
      "warning", "carrier", "is not there: our daemon makes it", advice: "start the daemon")
    before.expect("problem", "trust", "unknown-mailbox", advice: "start the daemon of web1")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.push("1\n", to: applier)
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [])
    after.expect("ok", "carrier", "keeps messages for 7 days; 0 messages wait")
    after.expect("ok", "trust", "its queue is there")
    after.expect("ok", "carrier", "takes requests of 65536 bytes")
    server.stop()
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "cannot connect", advice: "check 'host:'")
    try server.begin()
    try installation.push("2\n", to: applier)
    // More than a request holds, by far.
    try installation.push(Self.noise(byteCount: 3_000_000), to: applier)
    #expect(applier.end().status == 0)
    try installation.pushToOneThatIsOff("3\n")
    #expect(
      !server.entries.contains {
        $0.request.method == "DELETE" && $0.request.body == Array("{}".utf8)
      })
  }

  /// What no compression makes small.
  private static func noise(byteCount: Int) -> String {
    var generator = SeededGenerator(seed: 4)
    return Data(generator.bytes(byteCount)).base64EncodedString()
  }

  /// More than a thousand requests, each of 64 KB.
  @Test func `both processes stay small with a large message`() throws {
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.expectSmallPrograms(applier)
  }

  @Test func `a token that is refused says where to write another`() throws {
    try folder.writeSecret("wrong-secret", to: "token")
    let result = try Examination(installation, "web1.yaml")
    result.expect(
      "problem", "carrier", "IronMQ refuses the token (401)", advice: "'token-file:'")
    #expect(!result.findings.contains { "\($0)".contains("wrong-secret") })
  }

  @Test func `a size that the plan does not take is found`() throws {
    server.change { $0.requestByteCountMax = 20_000 }
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    let result = try Examination(installation, "signer.yaml")
    result.expect(
      "problem", "carrier", "takes no request of 65536 bytes", advice: "request-bytes")
    #expect(applier.end().status == 0)
  }
}

@Suite struct IronMQConfigurationTests {
  @Test(arguments: [
    ("host: 'http://mq.example.org'", "without TLS"),
    ("host: mq.example.org, port: 70000", "from 1 to 65535"),
    ("host: mq.example.org, request-bytes: 100000", "65536 or 262144"),
    ("host: 'me@mq.example.org'", "must be a host name"),
  ])
  func `a setting that cannot be meant is refused`(setting: String, words: String) throws {
    let installation = try Installation()
    try installation.carry("web1", by: "ironmq: {\(setting), project: a, token-file: token}")
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}
