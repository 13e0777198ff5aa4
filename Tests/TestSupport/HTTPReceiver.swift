import Foundation
import Glibc
import Synchronization

/// A small HTTP server on the loopback: notes what it is asked, and answers as the test says, badly where it is to.
/// Everything that hangs on it is hung up on when it goes.
package final class HTTPReceiver: Sendable {
  package struct Request: Sendable {
    package let method: String
    /// As it stands in the request's first line.
    package let target: String
    /// Names in lower case.
    package let headers: [String: String]
    package let body: String

    /// The value of a key of a JSON object of texts, numbers and truth values.
    package func field(_ name: String) throws -> String? {
      let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
      return object?[name].map { "\($0)" }
    }
  }

  package enum Reply: Sendable {
    case answer(Int, headers: [String: String] = [:], body: String = "")
    /// The length is not said before: the end of the connection is the end of it.
    case unmeasured(String)
    /// Half an answer, and then nothing more.
    case stalled
    /// Nothing, with an open connection.
    case silent
    case cut
  }

  package typealias Handler = @Sendable (Request) -> Reply

  private struct State {
    var requests: [Request] = []
    var handler: Handler
    var connections: Set<Int32> = []
    var hasEnded = false
  }

  /// What the threads hold, so that the receiver can go while they wait.
  private final class Shared: Sendable {
    let state: Mutex<State>
    init(_ handler: @escaping Handler) { state = Mutex(State(handler: handler)) }
  }

  package let port: UInt16
  private let descriptor: Int32
  private let shared: Shared

  /// `port`: one that an earlier receiver had.
  package init(port: UInt16 = 0, _ handler: @escaping Handler = { _ in .answer(200) }) throws {
    (descriptor, self.port) = try FreePort.listen(on: port == 0 ? FreePort.take() : port)
    shared = Shared(handler)
    Thread { [descriptor, shared] in Self.accept(descriptor, shared) }.start()
  }

  deinit { end() }

  /// Hangs up on all, and listens no more.
  package func end() {
    let connections = shared.state.withLock { state in
      defer { state.connections = [] }
      guard !state.hasEnded else { return Set<Int32>() }
      state.hasEnded = true
      Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
      return state.connections
    }
    for connection in connections { Glibc.shutdown(connection, Int32(SHUT_RDWR)) }
  }

  package var url: String { "http://127.0.0.1:\(port)" }

  package var requests: [Request] { shared.state.withLock { $0.requests } }

  package func answer(_ handler: @escaping Handler) {
    shared.state.withLock { $0.handler = handler }
  }

  // MARK: - Threads

  private static func accept(_ listener: Int32, _ shared: Shared) {
    defer { close(listener) }
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { return }
      let isWanted = shared.state.withLock { state in
        if !state.hasEnded { state.connections.insert(connection) }
        return !state.hasEnded
      }
      guard isWanted else {
        close(connection)
        return
      }
      Thread {
        serve(connection, shared)
        shared.state.withLock { _ = $0.connections.remove(connection) }
        close(connection)
      }.start()
    }
  }

  private static func serve(_ connection: Int32, _ shared: Shared) {
    var rest: [UInt8] = []
    while let request = read(connection, &rest) {
      let handler = shared.state.withLock { state in
        state.requests.append(request)
        return state.handler
      }
      switch handler(request) {
      case .answer(let status, let headers, let body):
        let lines = headers.map { "\($0): \($1)\r\n" }.joined()
        send(
          "HTTP/1.1 \(status) Said\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)",
          connection)
      case .unmeasured(let body):
        send("HTTP/1.1 200 Said\r\nConnection: close\r\n\r\n\(body)", connection)
        return
      case .stalled:
        send("HTTP/1.1 200 Said\r\nContent-Length: 100\r\n\r\nhalf", connection)
        _ = receive(connection)
        return
      case .silent:
        _ = receive(connection)
        return
      case .cut: return
      }
    }
  }

  private static func read(_ connection: Int32, _ rest: inout [UInt8]) -> Request? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let gap = rest.firstRange(of: end) {
        let head = String(decoding: rest[..<gap.lowerBound], as: UTF8.self)
        let lines = head.components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          let parts = line.split(separator: ":", maxSplits: 1)
          guard parts.count == 2 else { continue }
          headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        if rest.count - gap.upperBound >= length, first.count >= 2 {
          let body = rest[gap.upperBound..<gap.upperBound + length]
          rest = Array(rest[(gap.upperBound + length)...])
          return Request(
            method: first[0], target: first[1], headers: headers,
            body: String(decoding: body, as: UTF8.self))
        }
      }
      guard let bytes = receive(connection) else { return nil }
      rest += bytes
    }
  }

  /// `nil`: the other side has hung up.
  private static func receive(_ connection: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(connection, &bytes, bytes.count, 0)
    return count > 0 ? Array(bytes.prefix(count)) : nil
  }

  private static func send(_ text: String, _ connection: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
