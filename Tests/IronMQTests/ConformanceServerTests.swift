import Foundation
import Glibc
import IronMQServer
import TestSupport
import Testing

/// The same server by HTTP, spoken to by hand.
@Suite final class ConformanceServerTests: Sendable {
  private let server: ConformanceServer

  init() throws {
    // However late this machine is, nothing ends before a test says so.
    server = try ConformanceServer(clockRuns: false)
    server.makeQueue("q")
  }

  deinit { server.stop() }

  private func bytes(_ method: String, _ path: String, _ body: String, token: String) -> [UInt8] {
    Array(
      """
      \(method) /3/projects/\(ConformanceServer.project)/queues\(path) HTTP/1.1\r
      Host: 127.0.0.1\r
      Authorization: OAuth \(token)\r
      Content-Type: application/json\r
      Content-Length: \(body.utf8.count)\r
      Connection: close\r
      \r
      \(body)
      """.utf8)
  }

  private func ask(
    _ method: String, _ path: String, _ body: String = "", token: String = ConformanceServer.token
  ) async throws -> String {
    let connection = try RawConnection(to: "tcp://127.0.0.1:\(server.port)")
    let bytes = bytes(method, path, body, token: token)
    return try await onThread {
      try connection.send(bytes)
      return String(decoding: try connection.readToEnd(), as: UTF8.self)
    }
  }

  private static let post = #"{"messages":[{"body":"hello"}]}"#

  @Test func `it answers as the documentation says`() async throws {
    let posted = try await ask("POST", "/q/messages", Self.post)
    #expect(posted.hasPrefix("HTTP/1.1 201 "))
    #expect(posted.contains(#""msg":"Messages put on queue.""#))
    let reserved = try await ask("POST", "/q/reservations", #"{"n":10}"#)
    #expect(reserved.contains(#""body":"hello""#) && reserved.contains(#""reservation_id":""#))
    #expect(try await ask("GET", "/none").hasPrefix("HTTP/1.1 404 "))
    #expect(try await ask("GET", "/q", token: "x").hasPrefix("HTTP/1.1 401 "))
    let large = String(repeating: "a", count: 65_536)
    let refused = try await ask("POST", "/q/messages", #"{"messages":[{"body":"\#(large)"}]}"#)
    #expect(refused.hasPrefix("HTTP/1.1 413 "))
    #expect(server.entries.map(\.status) == [201, 200, 404, 401, 413])
  }

  @Test func `a long poll ends with the message that comes`() async throws {
    async let answer = ask("POST", "/q/reservations", #"{"wait":30}"#)
    while server.waitingCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
    _ = try await ask("POST", "/q/messages", Self.post)
    #expect(try await answer.contains(#""body":"hello""#))
  }

  @Test func `a long poll ends without messages when its time is over`() async throws {
    async let answer = ask("POST", "/q/reservations", #"{"wait":30}"#)
    while server.waitingCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
    server.advance(by: .seconds(30))
    #expect(try await answer.hasSuffix(#"{"messages":[]}"#))
  }

  @Test func `a long poll gets what times out meanwhile`() async throws {
    _ = try await ask("POST", "/q/messages", Self.post)
    _ = try await ask("POST", "/q/reservations", #"{"timeout":30}"#)
    server.advance(by: .seconds(10))
    async let answer = ask("POST", "/q/reservations", #"{"wait":30}"#)
    while server.waitingCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
    server.advance(by: .seconds(20))
    #expect(try await answer.contains(#""reserved_count":2"#))
  }

  @Test func `who has hung up gets no message`() async throws {
    let connection = try RawConnection(to: "tcp://127.0.0.1:\(server.port)")
    try connection.send(
      bytes("POST", "/q/reservations", #"{"wait":30}"#, token: ConformanceServer.token))
    while server.waitingCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
    Glibc.shutdown(connection.descriptor, Int32(SHUT_RDWR))
    while server.waitingCount > 0 { try await Task.sleep(for: .milliseconds(2)) }
    _ = try await ask("POST", "/q/messages", Self.post)
    #expect(try await ask("POST", "/q/reservations").contains(#""reserved_count":1"#))
  }

  @Test func `faults are those that a test asks for`() async throws {
    server.behave { faults in
      faults.cuts[.post] = 1
      faults.lostAnswers[.post] = 1
      faults.refusals[.post] = (1, 503, "7")
    }
    #expect(try await ask("POST", "/q/messages", Self.post).isEmpty)
    #expect(server.count(in: "q") == 0)
    #expect(try await ask("POST", "/q/messages", Self.post).contains("Retry-After: 7"))
    #expect(server.count(in: "q") == 0)
    #expect(try await ask("POST", "/q/messages", Self.post).isEmpty)
    #expect(server.count(in: "q") == 1)
    #expect(try await ask("POST", "/q/messages", Self.post).hasPrefix("HTTP/1.1 201 "))
  }

  @Test func `what it keeps survives its end`() async throws {
    _ = try await ask("POST", "/q/messages", Self.post)
    server.stop()
    #expect(throws: RawConnection.Failure.self) {
      try RawConnection(to: "tcp://127.0.0.1:\(server.port)")
    }
    try server.begin()
    #expect(try await ask("POST", "/q/reservations").contains(#""body":"hello""#))
  }
}
