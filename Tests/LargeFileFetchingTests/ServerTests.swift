import Foundation
import GitModel
import LargeFileFetching
import LargeFiles
import TestSupport
import Testing
import Upstreams
import WebClient

/// A real server of the batch API, as it is meant to be and as servers are.
@Suite(.serialized) struct ServerTests {
  private let fixture: FetchFixture

  init() throws { fixture = try FetchFixture() }

  @Test func `contents come with the upstream's token, a hundred a question`() async throws {
    let server = try fixture.server()
    let pointers = try (0..<130).map { try FetchFixture.put("content \($0)\n", on: server) }
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring(pointers, to: place) == [:])
    try fixture.expectStored(pointers, in: place)
    #expect(
      server.asked("batch")
        == [100, 30].map {
          "LFS batch download \($0) refs/heads/main sha256 basic auth=yes "
        })
    #expect(server.asked("GET").count == 130)
    // What is there is not asked for again.
    #expect(try await fixture.bring(pointers, to: place) == [:])
    #expect(server.asked("").count == 132)
  }

  @Test func `a URL without its end, and a certificate of one's own authority, are fine`()
    async throws
  {
    let server = try fixture.server {
      $0.token = FetchFixture.token
      $0.isTLS = true
    }
    let pointer = try FetchFixture.put("over TLS\n", on: server)
    let place = try fixture.place(of: server) { $0.caFile = server.certificate }
    #expect(try await fixture.bring([pointer], to: place) == [:])
    try fixture.expectStored([pointer], in: place)
  }

  @Test func `a content that the server lacks is named, and the others come`() async throws {
    let server = try fixture.server()
    let there = try FetchFixture.put("there\n", on: server)
    let lacking = try FetchFixture.pointer(to: Array("lacking\n".utf8))
    let gone = try FetchFixture.put("gone\n", on: server)
    try server.misbehave(#"[{"at": "batch", "errors": {"\#(gone.name)": 410}}]"#)
    let place = try fixture.place(of: server)
    let failures = try await fixture.bring([there, lacking, gone], to: place)
    #expect(
      failures == [
        lacking: .object(lacking, host: "127.0.0.1", status: 404, said: "Object does not exist"),
        gone: .object(gone, host: "127.0.0.1", status: 410, said: "no"),
      ])
    #expect(failures[lacking]?.code == .largeFileMissing)
    #expect(failures[lacking]?.hint?.contains("git lfs push") == true)
    try fixture.expectStored([there], in: place)
  }

  @Test(arguments: [
    #"{"at": "batch", "count": 1, "status": 429, "headers": {"Retry-After": "1"}}"#,
    #"{"at": "batch", "count": 2, "status": 503}"#,
    #"{"at": "object", "count": 2, "status": 500}"#,
    #"{"at": "object", "count": 1, "status": 429, "headers": {"Retry-After": "1"}}"#,
    #"{"at": "object", "count": 1, "status": 403, "message": "Request has expired"}"#,
    #"{"at": "object", "count": 1, "cut": 3}"#,
    #"{"at": "batch", "count": 1, "errors": {"*": 500}}"#,
  ])
  func `what passes is tried again`(fault: String) async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("it comes\n", on: server)
    try server.misbehave("[\(fault)]")
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([pointer], to: place) == [:], "\(server.log)")
    try fixture.expectStored([pointer], in: place)
  }

  @Test func `a broken download goes on where it was, as often as it gets on`() async throws {
    let server = try fixture.server()
    let content = PatchCases.randomBytes(12 << 20, seed: 1)
    let pointer = try FetchFixture.put(content, on: server)
    let place = try fixture.place(of: server)
    let file = LargeFileFetch.store(of: place).incomingPath(of: pointer)
    try server.misbehave(
      #"[{"at": "object", "count": 7, "cut": 1600000, "grown": "\#(file)"}]"#)
    let failures = try await fixture.bring([pointer], to: place)
    let asked = server.asked("GET")
    #expect(failures == [:], "\(asked)")
    try fixture.expectStored([pointer], in: place)
    #expect(asked.count == 8)
    let starts = asked.map { $0.split(separator: " ").first { $0.hasPrefix("Range=") } }
    #expect(starts == [nil] + (1...7).map { "Range=bytes=\(1_600_000 * $0)-" })
  }

  @Test func `a server without ranges sends it again from the start`() async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put(PatchCases.randomBytes(100_000, seed: 2), on: server)
    try server.misbehave(
      #"[{"at": "object", "count": 1, "cut": 50000}, {"at": "object", "whole": true}]"#)
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([pointer], to: place) == [:])
    try fixture.expectStored([pointer], in: place)
  }

  @Test(arguments: ["another\n", "a\n", "a much longer content\n"])
  func `a wrong content gets no name`(content: String) async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    try server.misbehave(#"[{"at": "object", "content": "\#(content.dropLast())\n"}]"#)
    let place = try fixture.place(of: server)
    let failures = try await fixture.bring([pointer], to: place)
    #expect(failures == [pointer: .otherContent(pointer, host: "127.0.0.1")])
    try fixture.expectStored([], in: place)
    #expect(try !LargeFileFetch.store(of: place).contains(pointer))
  }

  @Test(arguments: [
    (#"{"at": "batch", "status": 503, "message": "down"}"#, "upstream-unreachable"),
    (#"{"at": "batch", "status": 404}"#, "upstream-missing"),
    (#"{"at": "batch", "status": 403, "message": "no"}"#, "upstream-credential"),
    (#"{"at": "batch", "status": 422, "message": "no"}"#, "upstream-fault"),
    (#"{"at": "batch", "raw": "<html>"}"#, "upstream-fault"),
    (#"{"at": "batch", "raw": "{\"transfer\": \"tus\", \"objects\": []}"}"#, "upstream-fault"),
    (#"{"at": "batch", "raw": "{\"objects\": []}"}"#, "large-file-missing"),
    (#"{"at": "batch", "status": 429, "headers": {"Retry-After": "900"}}"#, "upstream-unreachable"),
    (#"{"at": "object", "status": 500}"#, "upstream-fault"),
    (#"{"at": "object", "status": 404}"#, "large-file-missing"),
  ])
  func `an error has a name and an end`(fault: String, code: String) async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    try server.misbehave("[\(fault)]")
    let failures = try await fixture.bring([pointer], to: fixture.place(of: server))
    let error = try #require(failures[pointer])
    #expect(error.code.rawValue == code, "\(error)")
    #expect(!"\(error)".contains(FetchFixture.token))
    #expect(server.asked("").count <= 6)
  }

  @Test func `a token that is not taken is named`() async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([], to: place) == [:])
    let token = try fixture.token("another")
    let failures = try await onThread { [fixture] in
      LargeFileFetch(place).bring([pointer], for: try fixture.work.tree(), on: "refs/heads/main")
    }
    guard case .upstream(.credentialRejected(_, .token(token.file.path), _))? = failures[pointer]
    else {
      Issue.record("\(failures)")
      return
    }
  }
}
