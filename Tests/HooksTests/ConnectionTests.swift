import Foundation
import Hooks
import TestSupport
import Testing

/// Connections that are slow, large, early, many or not HTTP: each is bounded.
@Suite struct ConnectionTests {
  @Test func `a body over the limit is refused before it is read`() async throws {
    let fixture = try await HookFixture()
    let head = "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    let reply = try HookReply(
      try await fixture.exchange(Array("\(head)Content-Length: \(26 << 20)\r\n\r\n".utf8)))
    #expect(reply.status == 413 && reply.headers["connection"] == "close")
    for length in ["99999999999999999999999", "-1", "1, 2", "x"] {
      let text = try await fixture.exchange(Array("\(head)Content-Length: \(length)\r\n\r\n".utf8))
      #expect(!text.contains("202"), "\(length): \(text)")
    }
    try await fixture.stop()
  }

  @Test func `a chunked body is read like another, up to the limit`() async throws {
    let fixture = try await HookFixture()
    for size in [1, 7, 4_096] {
      #expect(
        try await fixture.post(.named("github-push")) { $0.chunkByteCount = size }.status == 202,
        "\(size)")
    }
    let connection = try fixture.connect()
    try connection.send(
      Array(
        ("POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n").utf8))
    let piece =
      Array("100000\r\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 20) + Array("\r\n".utf8)
    // The server stops reading at the limit: what is sent behind it may be refused by the kernel.
    let text = try await onThread {
      do { for _ in 0..<30 { try connection.send(piece) } } catch is RawConnection.Failure {}
      return String(decoding: try connection.readToEnd(), as: UTF8.self)
    }
    #expect(text.hasPrefix("HTTP/1.1 413"), "\(text)")
    try await fixture.stop()
  }

  @Test func `a large payload is verified and taken`() async throws {
    let fixture = try await HookFixture()
    let padding = String(repeating: "x", count: 2 << 20)
    var call = HookCall(
      path: "/hooks/generic",
      body: Array(#"{"commits":["\#(padding)"],"ref":"refs/heads/main"}"#.utf8))
    call.sign(as: .generic, HookFixture.secret)
    #expect(try await fixture.send(call).status == 202)
    call.body[20] = 0x79
    #expect(try await fixture.send(call).status == 401)
    try await fixture.stop()
  }

  @Test func `requests that come at once are answered one after the other`() async throws {
    let fixture = try await HookFixture()
    var call = HookCall(path: "/hooks/github", body: try HookSample.body("github-push"))
    call.headers["X-GitHub-Event"] = "push"
    call.sign(as: .github, HookFixture.secret)
    call.closes = false
    let first = call.bytes()
    call.closes = true
    let text = try await fixture.exchange(first + first + first + first + call.bytes())
    #expect(text.components(separatedBy: "HTTP/1.1 202").count == 6, "\(text)")
    try await fixture.stop()
  }

  @Test func `after an error nothing more of the connection is answered`() async throws {
    let fixture = try await HookFixture()
    var call = HookCall(path: "/hooks/github", body: try HookSample.body("github-push"))
    call.headers["X-GitHub-Event"] = "push"
    call.closes = false
    let unsigned = call.bytes()
    call.sign(as: .github, HookFixture.secret)
    let text = try await fixture.exchange(unsigned + call.bytes())
    #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2 && text.contains("401"), "\(text)")
    try await fixture.stop()
  }

  @Test(arguments: [
    "GET\r\n\r\n", "\r\n\r\n\r\n", "POST /hooks/github HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}",
    "POST /hooks/github HTTP/1.1\r\nHost x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "POST /hooks/github HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST /hooks/github HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  ])
  func `what is not HTTP gets no more than an error`(text: String) async throws {
    let fixture = try await HookFixture()
    let connection = try fixture.connect()
    try connection.send(Array(text.utf8))
    let answer = try await connection.text()
    #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
    try await fixture.stop()
  }

  @Test func `headers are bounded in size and number`() async throws {
    let fixture = try await HookFixture()
    let sample = try HookSample.named("github-push")
    let large = try await fixture.post(sample) {
      $0.headers["X-Large"] = String(repeating: "x", count: 20_000)
    }
    #expect(large.status == 400, "\(large.text)")
    let many = try await fixture.post(sample) { call in
      for number in 0..<200 { call.headers["X-\(number)"] = "x" }
    }
    #expect(many.status == 400, "\(many.text)")
    let path = try await fixture.post(sample) {
      $0.path = "/" + String(repeating: "x", count: 100_000)
    }
    #expect(path.status >= 400)
    #expect(try await fixture.post(sample).status == 202)
    try await fixture.stop()
  }

  /// Takes as long as the deadlines: both at once.
  @Test func `a request that trickles in is ended`() async throws {
    let fixture = try await HookFixture()
    let slowHead = try fixture.connect()
    let slowBody = try fixture.connect()
    let silent = try fixture.connect()
    try slowHead.send(Array("POST /hooks/github HTTP/1.1\r\n".utf8))
    try slowBody.send(
      Array(
        ("POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
          + "Content-Length: 1000\r\n\r\n").utf8))
    let start = ContinuousClock.now
    // A byte now and then would keep any idle timeout from ever ending it.
    var isEnded = false
    while !isEnded, .now - start < .seconds(60) {
      do {
        try slowHead.send(Array("X".utf8))
        try slowBody.send(Array(" ".utf8))
      } catch is RawConnection.Failure {
        isEnded = true
      }
      try await Task.sleep(for: .milliseconds(200))
    }
    #expect(try await slowHead.text().hasPrefix("HTTP/1.1 408"))
    #expect(try await slowBody.text().hasPrefix("HTTP/1.1 408"))
    _ = try await silent.text()
    #expect(.now - start < .seconds(60))
    try await fixture.stop()
  }

  @Test func `one address has so many connections and no more`() async throws {
    let fixture = try await HookFixture()
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<72 {
        let connection = try fixture.connect()
        group.addTask {
          do { try connection.send(Array("POST".utf8)) } catch is RawConnection.Failure {}
          return try await connection.text()
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    // The others have been waited for until their headers were due.
    #expect(texts.count { $0.isEmpty } == 8)
    #expect(texts.count { $0.hasPrefix("HTTP/1.1 408") } == 64)
    #expect(try await fixture.post(.named("github-push")).status == 202)
    try await fixture.stop()
  }

  @Test func `too many requests of one address are told to come later`() async throws {
    let fixture = try await HookFixture(requestsPerSecond: 1)
    var count = 0
    var reply = try await fixture.post(.named("github-push"))
    while reply.status == 202 {
      count += 1
      reply = try await fixture.post(.named("github-push"), id: "\(count)")
    }
    #expect(count >= 2)
    #expect(reply.status == 429 && reply.headers["retry-after"] != nil)
    try await fixture.stop()
  }

  @Test func `an address that fails too often learns nothing, and its large bodies are not read`()
    async throws
  {
    let fixture = try await HookFixture()
    var call = HookCall(path: "/hooks/generic", body: Array("{}".utf8))
    call.headers["X-Hub-Signature-256"] = "sha256=" + String(repeating: "0", count: 64)
    var count = 0
    while try await fixture.send(call).status == 401 { count += 1 }
    #expect((200...400).contains(count))
    let head = "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    let large = try HookReply(
      try await fixture.exchange(Array("\(head)Content-Length: \(20 << 20)\r\n\r\n".utf8)))
    #expect(large.status == 429)
    // Many share an address with the one that fails: what is signed is taken.
    #expect(try await fixture.post(.named("github-push")).status == 202)
    try await fixture.stop()
  }

  @Test func `behind a trusted proxy the address is the one that it names`() async throws {
    let fixture = try await HookFixture(requestsPerSecond: 1, proxies: ["127.0.0.1"])
    for number in 0..<30 {
      let reply = try await fixture.post(.named("github-push")) {
        $0.headers["X-Forwarded-For"] = "203.0.113.\(number)"
      }
      #expect(reply.status == 202)
    }
    var statuses: [Int] = []
    for number in 0..<30 {
      // What a client writes itself stands before what the proxy adds.
      let reply = try await fixture.post(.named("github-push")) {
        $0.headers["X-Forwarded-For"] = "198.51.100.\(number), 203.0.113.200"
      }
      statuses.append(reply.status)
    }
    #expect(statuses.contains(429))
    try await fixture.stop()
  }

  @Test func `the server ends in order while connections are open`() async throws {
    let fixture = try await HookFixture()
    let idle = try fixture.connect()
    let reading = try fixture.connect()
    try reading.send(Array("POST /hooks/github HTTP/1.1\r\nContent-Le".utf8))
    #expect(try await fixture.post(.named("github-push")).status == 202)
    let start = ContinuousClock.now
    try await fixture.stop()
    #expect(.now - start < .seconds(20))
    _ = try await (idle.text(), reading.text())
  }
}
