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
    try write(token: ConformanceServer.token)
    for name in ["signer", "web1"] { try installation.connect(name, toIronMQ: server.url) }
  }

  deinit { server.stop() }

  private func write(token: String) throws {
    let path = try folder.write("token", token + "\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }

  @Test func `a push is applied and its receipt comes back also after the server was away`() throws
  {
    let before = try Examination(installation, "signer.yaml")
    before.expect("ok", "carrier", "is there, and takes the token")
    before.expect(
      "warning", "carrier", "is not there: our daemon makes it", advice: "start the daemon")
    before.expect("problem", "trust", "unknown-mailbox", advice: "start the daemon of web1")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try push("1\n", applier)
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [])
    after.expect("ok", "carrier", "keeps messages for 7 days; 0 messages wait")
    after.expect("ok", "trust", "its queue is there")
    after.expect("ok", "carrier", "takes requests of 65536 bytes")
    server.stop()
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "cannot connect", advice: "check 'host:'")
    try server.begin()
    try push("2\n", applier)
    // More than a request holds, by far.
    try push(Self.noise(byteCount: 3_000_000), applier)
    #expect(applier.end().status == 0)
    // One that is off gets it when it looks.
    try installation.source.commit(["a": "3\n"])
    #expect(try installation.sendMain(until: "stored, no receipt").status == 1)
    let once = try installation.run("verify-apply", "--once", "--config", "web1.yaml")
    #expect(once.status == 0, "\(once.errors)")
    try installation.expectEqual()
    #expect(try installation.send("--flush").status == 0)
    #expect(
      !server.entries.contains {
        $0.request.method == "DELETE" && $0.request.body == Array("{}".utf8)
      })
  }

  private func push(_ content: String, _ applier: RunningProgram) throws {
    try installation.source.commit(["a": content])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
  }

  /// What no compression makes small.
  private static func noise(byteCount: Int) -> String {
    var generator = SeededGenerator(seed: 4)
    return Data(generator.bytes(byteCount)).base64EncodedString()
  }

  /// More than a thousand requests, each of 64 KB.
  @Test func `both processes stay small with a large message`() throws {
    try installation.fillSource(mebibytes: LargePayloadTests.mebibytes)
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    let send = try installation.startSend("--ref", "main", "--wait", "600")
    // The kernel keeps the highest value; it is read until the process is gone.
    var sender = 0
    while send.process.isRunning {
      sender = max(sender, LargePayloadTests.peakMebibytes(of: send.pid))
      usleep(2_000)
    }
    #expect(send.wait() == 0, "\(send.log) \(applier.log)")
    let receiver = LargePayloadTests.peakMebibytes(of: applier.pid)
    let allowed = 1..<LargePayloadTests.residentMebibytesMax
    #expect(allowed.contains(sender), "sign-and-send: \(sender) MiB")
    #expect(allowed.contains(receiver), "verify-apply: \(receiver) MiB")
    if LargePayloadTests.mebibytes > 64 {
      print("VmHWM: sign-and-send \(sender) MiB, verify-apply \(receiver) MiB")
    }
    #expect(applier.end().status == 0)
    try installation.expectEqual()
  }

  @Test func `a token that is refused says where to write another`() throws {
    try write(token: "wrong-secret")
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
    try installation.connect(
      "web1", toCarrier: "ironmq: {\(setting), project: a, token-file: token}")
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}

extension Installation {
  fileprivate func connect(_ name: String, toIronMQ url: String) throws {
    try connect(
      name,
      toCarrier:
        "ironmq: {host: '\(url)', project: \(ConformanceServer.project), token-file: token}")
  }

  /// In place of ZeroMQ.
  fileprivate func connect(_ name: String, toCarrier carrier: String) throws {
    let path = folder.path("\(name).yaml")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false
    ).flatMap { line -> [String] in
      let word = line.drop { $0 == " " }
      let isOurs = ["server:", "connect:", "listen:"].contains { word.hasPrefix($0) }
      if isOurs { return [] }
      guard word == "- zeromq:" else { return [String(line)] }
      return ["  - \(carrier)"]
    }
    try folder.write("\(name).yaml", lines.joined(separator: "\n"))
  }
}
