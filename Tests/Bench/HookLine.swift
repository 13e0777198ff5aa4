import Foundation
import TestSupport

/// A connection that stays, as a host's HTTP client keeps it.
final class HookLine {
  /// What both sides know, and what is posted.
  struct Hook {
    let secret = "secret-of-the-hook-0123"
    let body = #"{"ref":"refs/heads/main"}"#
    /// Of the body by the secret.
    let signature = "360000c30445f85ec1b8d59c5f69d44b16409017e5d7b3426829393e70a9f63d"

    /// hooks.yaml, beside a file `secret`.
    func configuration(port: UInt16, remote: String) -> String {
      """
      listen: 127.0.0.1:\(port)
      state: hooks
      signer: signer.sock
      hooks:
        - {path: /hooks/shop, host: generic, secret-files: [secret], remote: "\(remote)"}
      """
    }
  }

  private let hook = Hook()
  private let connection: RawConnection

  init(to port: UInt16) throws {
    connection = try RawConnection(to: "tcp://127.0.0.1:\(port)")
  }

  /// Returns when it is taken.
  func post() throws {
    try connection.send(
      Array(
        """
        POST /hooks/shop HTTP/1.1\r
        Host: localhost\r
        Content-Type: application/json\r
        X-GitHub-Delivery: \(UUID().uuidString)\r
        X-Hub-Signature-256: sha256=\(hook.signature)\r
        Content-Length: \(hook.body.utf8.count)\r
        \r
        \(hook.body)
        """.utf8))
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    // Its body is one word.
    while !answer.suffix(9).elementsEqual("accepted\n".utf8) {
      let count = recv(connection.descriptor, &buffer, buffer.count, 0)
      guard count > 0 else {
        throw ProgramFailure(description: "hooks: \(String(decoding: answer, as: UTF8.self))")
      }
      answer += buffer.prefix(count)
      if answer.count > 12, !answer.starts(with: Array("HTTP/1.1 202".utf8)) {
        throw ProgramFailure(description: "hooks: \(String(decoding: answer, as: UTF8.self))")
      }
    }
  }
}
