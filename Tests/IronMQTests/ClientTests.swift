import Foundation
import Host
import IronMQ
import TestSupport
import Testing
import WebClient

@Suite struct ClientTests {
  private let folder: TemporaryFolder
  private let tokenFile: String
  private let queue: QueueName

  init() throws {
    folder = try TemporaryFolder()
    tokenFile = try folder.file("one-secret\n")
    queue = try #require(QueueName("q"))
  }

  private func client(_ host: String, authorities: String? = nil) throws -> IronMQClient {
    try IronMQClient(
      IronMQAddress(host: host, project: "57a7b7"), tokenFile: SecretFile(tokenFile),
      authorities: authorities)
  }

  /// The client blocks its thread: no test's own does.
  private func ask(_ client: IronMQClient) async throws -> String {
    let request = IronMQRequest.queueInfo(queue)
    return String(decoding: try await onThread { try client.send(request) }, as: UTF8.self)
  }

  @Test func `a request carries the token and its answer is returned`() async throws {
    let server = try HTTPReceiver { _ in .answer(200, body: "{}") }
    #expect(try await ask(client(server.url)) == "{}")
    let asked = try #require(server.requests.first)
    #expect(asked.method == "GET" && asked.target == "/3/projects/57a7b7/queues/q")
    #expect(asked.headers["authorization"] == "OAuth one-secret")
    #expect(asked.headers["content-type"] == "application/json")
  }

  @Test(arguments: [
    (403, IronMQError.forbidden(message: "why"), true),
    (404, .missing(message: "why"), true), (413, .requestTooLarge(byteCount: 0), false),
    (429, .paused(status: 429, seconds: 7), false), (503, .paused(status: 503, seconds: 7), false),
    (400, .status(400, message: "why"), false), (502, .status(502, message: "why"), false),
  ])
  func `each status has its error`(status: Int, error: IronMQError, isLost: Bool) async throws {
    let server = try HTTPReceiver { _ in
      .answer(status, headers: ["Retry-After": "7"], body: #"{"msg":"why"}"#)
    }
    let client = try client(server.url)
    await #expect(throws: error) { try await ask(client) }
    #expect(error.isLostReservation == isLost)
  }

  @Test func `a token that is refused is read again and asked once more`() async throws {
    let server = try HTTPReceiver { request in
      .answer(request.headers["authorization"] == "OAuth another" ? 200 : 401, body: "{}")
    }
    let client = try client(server.url)
    await #expect(throws: IronMQError.unauthorized) { try await ask(client) }
    #expect(server.requests.count == 1, "the file has the same")
    try "another\n".write(toFile: tokenFile, atomically: false, encoding: .utf8)
    #expect(try await ask(client) == "{}")
    #expect(!"\(IronMQError.unauthorized)\(IronMQError.unauthorized.hint ?? "")".contains("secret"))
  }

  @Test func `a token that others may read is not used`() throws {
    let open = try folder.file("one-secret\n", mode: 0o644)
    #expect(throws: SecretFileError.open(open, mode: 0o644)) {
      try IronMQClient(
        IronMQAddress(host: "localhost", project: "a"), tokenFile: SecretFile(open),
        authorities: nil)
    }
  }

  @Test func `a token goes nowhere else`() async throws {
    let other = try HTTPReceiver { _ in .answer(200, body: "{}") }
    let server = try HTTPReceiver { _ in .answer(302, headers: ["Location": other.url + "/"]) }
    let client = try client(server.url)
    await #expect { try await ask(client) } throws: { error in
      if case IronMQError.web(.redirected) = error { true } else { false }
    }
    #expect(other.requests.isEmpty)
  }

  @Test func `a host without the certificate of our authority is not spoken to`() async throws {
    let (key, certificate) = (folder.path + "/key.pem", folder.path + "/certificate.pem")
    try TestCertificate.make(certificate, key: key, in: folder)
    let port = try FreePort.take()
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    server.arguments = [
      "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www",
      "-quiet",
    ]
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer { kill(server.processIdentifier, SIGKILL) }
    let isListening = becomesTrue {
      guard let connection = FreePort.connect(to: port) else { return false }
      close(connection)
      return true
    }
    try #require(isListening)
    let trusting = try client("localhost:\(port)", authorities: certificate)
    #expect(try await !ask(trusting).isEmpty)
    for (host, authorities) in [("localhost", nil), ("127.0.0.1", certificate)] {
      let client = try client("\(host):\(port)", authorities: authorities)
      await #expect(throws: IronMQError.web(.certificate(host: host))) { try await ask(client) }
    }
  }
}
