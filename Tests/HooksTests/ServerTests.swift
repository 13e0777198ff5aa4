import Foundation
import Hooks
import TestSupport
import Testing

/// The server on a real port: what each request gets, and what is stored of it.
@Suite struct ServerTests {
  @Test(arguments: HookSample.all)
  func `every event of every host gets its answer`(sample: HookSample) async throws {
    let fixture = try await HookFixture()
    let reply = try await fixture.post(sample, id: "id-1")
    let waiting = try fixture.waiting()
    switch sample.outcome {
    case .push(let refs) where !refs.isEmpty:
      #expect(reply.status == 202)
      #expect(waiting.map { Set($0.refs) } == [Set(refs)])
      #expect(waiting.map(\.remote.text) == [sample.remote])
    case .pushOfAnything:
      #expect(reply.status == 202)
      #expect(waiting.map(\.refs) == [[]])
    case .push, .test, .ignored:
      #expect(reply.status == 200, "\(reply.text)")
      #expect(waiting.isEmpty)
    }
    #expect(reply.headers["server"] == nil)
    let again = try await fixture.post(sample, id: "id-1")
    #expect(again.status == 200 && again.body == "already received\n", "\(again.text)")
    try await fixture.stop()
  }

  @Test func `what was answered is on the disk, also after an end without order`() async throws {
    let fixture = try await HookFixture()
    for number in 0..<20 {
      #expect(try await fixture.post(.named("github-push"), id: "id-\(number)").status == 202)
    }
    // Read beside the running role.
    #expect(try fixture.waiting().map(\.refs) == [["refs/heads/main"]])
    #expect(try fixture.status().rows.first { $0.path == "/hooks/github" }?.receivedCount == 20)
    try await fixture.stop()
  }

  @Test func `a burst for one repository is one hint`() async throws {
    let fixture = try await HookFixture()
    for file in ["github-push", "github-push-tag-created", "github-push-branch-created"] {
      for number in 0..<5 {
        #expect(try await fixture.post(.named(file), id: "\(file)-\(number)").status == 202)
      }
    }
    let waiting = try fixture.waiting()
    #expect(waiting.count == 1)
    #expect(
      waiting.first.map { Set($0.refs) }
        == ["refs/heads/main", "refs/tags/v2.0", "refs/heads/release/2.0"])
    try await fixture.stop()
  }

  @Test(arguments: HookHost.allCases)
  func `a missing or wrong signature is refused without a word`(host: HookHost) async throws {
    let fixture = try await HookFixture()
    let sample = try #require(HookSample.all.first { $0.host == host })
    let wrong = try await fixture.post(sample, id: "a", secret: "another-secret")
    let missing = try await fixture.post(sample, id: "b") { call in
      for name in call.headers.keys where name.contains("Signature") || name.contains("Token") {
        call.headers[name] = nil
      }
    }
    let changed = try await fixture.post(sample, id: "c") { call in
      call.body[call.body.count - 2] = 0x20
      if host == .gitlab { call.headers["X-Gitlab-Token"] = "" }
    }
    for reply in [wrong, missing, changed] {
      #expect(reply.status == 401, "\(reply.text)")
      #expect(reply.body.isEmpty && reply.headers["connection"] == "close")
    }
    #expect(try fixture.waiting().isEmpty)
    // None of them takes the id away from the real one.
    #expect(try await fixture.post(sample, id: "a").status < 300)
    try await fixture.stop()
    #expect(try fixture.status().rows.first { $0.host == host }?.refusedCounts == [401: 3])
  }

  @Test func `every active secret is taken`() async throws {
    let fixture = try await HookFixture(secretCount: 3)
    for secret in [
      HookFixture.secret, "another-secret-0123456789-1", "another-secret-0123456789-2",
    ] {
      #expect(try await fixture.post(.named("github-push"), secret: secret).status == 202)
    }
    try await fixture.stop()
  }

  @Test func `other paths, methods and types are refused`() async throws {
    let fixture = try await HookFixture()
    let sample = try HookSample.named("github-push")
    for path in [
      "/", "/hooks", "/hooks/github/", "/hooks/github2", "//hooks/github", "/HOOKS/GITHUB",
    ] {
      #expect(try await fixture.post(sample) { $0.path = path }.status == 404, "\(path)")
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
      let reply = try await fixture.post(sample) { $0.method = method }
      #expect(reply.status == 405 && reply.headers["allow"] == "POST", "\(method)")
    }
    for type in ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""] {
      #expect(try await fixture.post(sample) { $0.headers["Content-Type"] = type }.status == 415)
    }
    let form = try await fixture.post(.named("gitlab-push")) {
      $0.headers["Content-Type"] = "application/x-www-form-urlencoded"
    }
    #expect(form.status == 415)
    #expect(try await fixture.post(sample) { $0.path = "/hooks/github?x=1" }.status == 202)
    try await fixture.stop()
    #expect(try fixture.status().strangerCounts == [404: 6])
  }

  @Test func `a payload that is not understood is an error with a line in the log`() async throws {
    let fixture = try await HookFixture()
    for body in ["", "{", "[]", "{}", String(repeating: "[", count: 100_000), "\u{0}"] {
      var call = HookCall(path: "/hooks/github", body: Array(body.utf8))
      call.headers["X-GitHub-Event"] = "push"
      call.sign(as: .github, HookFixture.secret)
      #expect(try await fixture.send(call).status == 400, "\(body.prefix(10))")
    }
    #expect(fixture.log.count(of: "hook-not-understood") == 6)
    try await fixture.stop()
  }

  @Test func `a push of another repository is ignored with a line in the log`() async throws {
    let fixture = try await HookFixture()
    var call = HookCall(
      path: "/hooks/github", body: try HookSample.body("github-push-another-repository"))
    call.headers["X-GitHub-Event"] = "push"
    call.sign(as: .github, HookFixture.secret)
    let reply = try await fixture.send(call)
    #expect(reply.status == 200 && reply.body == "ignored: another repository\n")
    #expect(try fixture.waiting().isEmpty)
    #expect(fixture.log.count(of: "hook-of-another-repository") == 1)
    try await fixture.stop()
  }

  @Test func `nothing of a request is returned`() async throws {
    let fixture = try await HookFixture()
    let marker = "marker-4711"
    var replies: [HookReply] = []
    let sample = try HookSample.named("github-push")
    replies.append(try await fixture.post(sample) { $0.path = "/\(marker)" })
    replies.append(try await fixture.post(sample) { $0.method = marker })
    replies.append(try await fixture.post(sample) { $0.headers["X-GitHub-Event"] = marker })
    replies.append(try await fixture.post(sample) { $0.headers["Content-Type"] = marker })
    replies.append(try await fixture.post(sample) { $0.headers["X-Hub-Signature-256"] = marker })
    for reply in replies { #expect(!reply.text.contains(marker), "\(reply.text)") }
    try await fixture.stop()
  }

  @Test func `a form is taken where the host sends forms`() async throws {
    let fixture = try await HookFixture()
    let json = String(decoding: try HookSample.body("github-push"), as: UTF8.self)
    let encoded = try #require(json.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    var call = HookCall(path: "/hooks/github", body: Array("payload=\(encoded)".utf8))
    call.headers = [
      "Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Event": "push",
    ]
    call.sign(as: .github, HookFixture.secret)
    #expect(try await fixture.send(call).status == 202)
    try await fixture.stop()
  }
}
