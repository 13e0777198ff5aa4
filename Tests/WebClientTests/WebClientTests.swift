import Foundation
import Synchronization
import TestSupport
import Testing
import WebClient

@Suite struct WebClientTests {
  private let client: WebClient

  init() throws { client = try WebClient() }

  /// The client blocks its thread: no test's own does.
  private func send(
    _ request: WebRequest, byteCountMax: Int = 1 << 20
  ) async throws -> WebResponse {
    try await onThread { [client] in try client.send(request, byteCountMax: byteCountMax) }
  }

  private func expect(
    _ request: WebRequest, byteCountMax: Int = 1 << 20,
    sourceLocation: SourceLocation = #_sourceLocation, _ isExpected: (WebError) -> Bool
  ) async {
    do {
      let response = try await send(request, byteCountMax: byteCountMax)
      Issue.record("answered: \(response)", sourceLocation: sourceLocation)
    } catch let error as WebError {
      #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
  }

  @Test func `an answer comes with its status headers and body`() async throws {
    let server = try HTTPReceiver { request in
      .answer(404, headers: ["Retry-After": "7"], body: request.method + " " + request.body)
    }
    let request = WebRequest(
      .put, try WebAddress(server.url + "/a/b?c=d"), headers: [.init("X-One", "1")],
      credentials: [.init("Authorization", "Bearer t")], body: Array("hello".utf8))
    let response = try await send(request)
    #expect(response.status == 404)
    #expect(response.header("retry-after") == "7")
    #expect(String(decoding: response.body, as: UTF8.self) == "PUT hello")
    let asked = try #require(server.requests.first)
    #expect(asked.target == "/a/b?c=d")
    #expect(asked.headers["x-one"] == "1")
    #expect(asked.headers["authorization"] == "Bearer t")
  }

  @Test func `a port at which nothing listens is unreachable at once`() async throws {
    let port = try FreePort.take()
    let request = WebRequest(.get, try WebAddress("http://127.0.0.1:\(port)"), deadline: patience)
    await expect(request) {
      if case .unreachable(_, "connection refused") = $0 { true } else { false }
    }
  }

  @Test func `a server that says nothing ends by the deadline`() async throws {
    let server = try HTTPReceiver { _ in .silent }
    await expect(WebRequest(.get, try WebAddress(server.url), deadline: .milliseconds(300))) {
      if case .deadline = $0 { true } else { false }
    }
  }

  @Test func `an answer that stops in the middle ends by the deadline`() async throws {
    let server = try HTTPReceiver { _ in .stalled }
    await expect(WebRequest(.get, try WebAddress(server.url), deadline: .milliseconds(300))) {
      if case .deadline = $0 { true } else { false }
    }
  }

  @Test func `a connection that is cut is named`() async throws {
    let server = try HTTPReceiver { _ in .cut }
    await expect(WebRequest(.post, try WebAddress(server.url))) {
      if case .broken = $0 { true } else { false }
    }
  }

  @Test func `an answer over the limit is not read`() async throws {
    let server = try HTTPReceiver { request in
      let body = String(repeating: "x", count: 5_000)
      return request.target == "/said" ? .answer(200, body: body) : .unmeasured(body)
    }
    for path in ["/said", "/unsaid"] {
      await expect(WebRequest(.get, try WebAddress(server.url + path)), byteCountMax: 4_999) {
        if case .tooLarge(_, 4_999) = $0 { true } else { false }
      }
      let whole = try await send(
        WebRequest(.get, try WebAddress(server.url + path)), byteCountMax: 5_000)
      #expect(whole.body.count == 5_000)
    }
  }

  @Test func `a post is never sent on`() async throws {
    let other = try HTTPReceiver()
    let server = try HTTPReceiver { [url = other.url] _ in
      .answer(307, headers: ["Location": url + "/there"])
    }
    await expect(WebRequest(.post, try WebAddress(server.url), redirectCountMax: 5)) {
      if case .redirected = $0 { true } else { false }
    }
    #expect(other.requests.isEmpty)
  }

  @Test func `credentials stay with the origin that they are for`() async throws {
    let other = try HTTPReceiver { _ in .answer(200, body: "there") }
    let server = try HTTPReceiver { [url = other.url] request in
      request.target == "/"
        ? .answer(302, headers: ["Location": "/here"])
        : .answer(302, headers: ["Location": url + "/there"])
    }
    let response = try await send(
      WebRequest(
        .get, try WebAddress(server.url + "/"), headers: [.init("X-Plain", "p")],
        credentials: [.init("Authorization", "secret")], redirectCountMax: 2))
    #expect(String(decoding: response.body, as: UTF8.self) == "there")
    #expect(server.requests.map { $0.headers["authorization"] } == ["secret", "secret"])
    #expect(other.requests.map { $0.headers["authorization"] } == [nil])
    #expect(other.requests.map { $0.headers["x-plain"] } == ["p"])
  }

  @Test func `redirects are followed as often as was said`() async throws {
    let server = try HTTPReceiver { _ in .answer(302, headers: ["Location": "/again"]) }
    await expect(WebRequest(.get, try WebAddress(server.url), redirectCountMax: 3)) {
      if case .redirected = $0 { true } else { false }
    }
    #expect(server.requests.count == 4)
  }

  @Test func `a redirect to plain http elsewhere is not followed`() async throws {
    let server = try HTTPReceiver { _ in
      .answer(302, headers: ["Location": "http://example.org/"])
    }
    await expect(WebRequest(.get, try WebAddress(server.url), redirectCountMax: 3)) {
      if case .addressInvalid = $0 { true } else { false }
    }
  }

  @Test func `requests that run end when the client is stopped`() async throws {
    let server = try HTTPReceiver { _ in .silent }
    let request = WebRequest(.get, try WebAddress(server.url))
    let answer = Task { try await send(request) }
    try #require(try await becomesTrueLater { !server.requests.isEmpty })
    client.stop()
    await #expect(throws: WebError.stopped) { try await answer.value }
    await #expect(throws: WebError.stopped) { try await send(request) }
  }

  @Test func `many threads ask at once`() async throws {
    let server = try HTTPReceiver { .answer(200, body: $0.target) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        group.addTask {
          let response = try await send(
            WebRequest(.get, try WebAddress("\(server.url)/\(number)")))
          #expect(String(decoding: response.body, as: UTF8.self) == "/\(number)")
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `a proxy gets the request for another server`() async throws {
    let proxy = try HTTPReceiver { _ in .answer(200, body: "by proxy") }
    let client = try WebClient(
      WebSettings(proxy: .init(host: "127.0.0.1", port: Int(proxy.port))))
    let address = try WebAddress("http://127.0.0.1:1/path")
    let response = try await onThread { try client.send(WebRequest(.get, address)) }
    #expect(String(decoding: response.body, as: UTF8.self) == "by proxy")
    #expect(proxy.requests.map(\.method) == ["CONNECT", "GET"])
    #expect(proxy.requests.map(\.target) == ["127.0.0.1:1", "/path"])
  }

  // MARK: - Downloads

  @Test func `a download is a file of ours or none`() async throws {
    let folder = try TemporaryFolder()
    let server = try HTTPReceiver { request in
      switch request.target {
      case "/good": .answer(200, body: String(repeating: "y", count: 3_000_000))
      case "/long": .unmeasured(String(repeating: "y", count: 3_000_001))
      case "/broken": .stalled
      default: .answer(403, body: "no")
      }
    }
    func download(_ path: String) async throws -> WebResponse {
      let request = WebRequest(
        .get, try WebAddress(server.url + path),
        deadline: path == "/broken" ? .milliseconds(300) : .seconds(60))
      let file = folder.path + path
      return try await onThread { [client] in
        try client.download(request, to: file, byteCountMax: 3_000_000)
      }
    }
    #expect(try await download("/good").status == 200)
    #expect(try folder.content(folder.path + "/good").count == 3_000_000)
    #expect(try folder.mode(folder.path + "/good") == 0o600)
    let refused = try await download("/none")
    #expect(refused.status == 403 && refused.body == Array("no".utf8))
    await #expect { try await download("/long") } throws: {
      if case .tooLarge? = $0 as? WebError { true } else { false }
    }
    await #expect { try await download("/broken") } throws: {
      if case .deadline? = $0 as? WebError { true } else { false }
    }
    // What is there is never written over.
    await #expect { try await download("/good") } throws: {
      if case .file(_, EEXIST)? = $0 as? WebError { true } else { false }
    }
    #expect(try folder.names == ["good"])
  }
}
