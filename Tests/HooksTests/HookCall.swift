import Crypto
import Foundation
import Hooks
import Testing

/// A request, byte for byte.
struct HookCall {
  var method = "POST"
  var path: String
  var headers: [String: String] = ["Content-Type": "application/json"]
  var body: [UInt8]
  /// As RFC 9112 has it, in pieces of this size; `nil`: with its length.
  var chunkByteCount: Int?
  var closes = true

  init(path: String, body: [UInt8]) { (self.path, self.body) = (path, body) }

  static func idHeader(of host: HookHost) -> String {
    switch host {
    case .github: "X-GitHub-Delivery"
    case .gitlab, .generic: "Idempotency-Key"
    case .bitbucketCloud: "X-Request-UUID"
    case .bitbucketDataCenter: "X-Request-Id"
    case .gitea: "X-Gitea-Delivery"
    case .forgejo: "X-Forgejo-Delivery"
    }
  }

  mutating func sign(as host: HookHost, _ secret: String) {
    let code = HMAC<SHA256>.authenticationCode(
      for: body, using: SymmetricKey(data: Array(secret.utf8)))
    let hex = code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    switch host {
    case .github, .generic: headers["X-Hub-Signature-256"] = "sha256=" + hex
    case .bitbucketCloud, .bitbucketDataCenter: headers["X-Hub-Signature"] = "sha256=" + hex
    case .gitlab: headers["X-Gitlab-Token"] = secret
    case .gitea: headers["X-Gitea-Signature"] = hex
    case .forgejo:
      headers["X-Forgejo-Signature"] = hex
      headers["X-Gitea-Signature"] = hex
    }
  }

  func bytes() -> [UInt8] {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: hooks.example.org"]
    if closes { lines.append("Connection: close") }
    lines.append(
      chunkByteCount == nil ? "Content-Length: \(body.count)" : "Transfer-Encoding: chunked")
    lines += headers.map { "\($0.key): \($0.value)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + content
  }

  private var content: [UInt8] {
    guard let chunkByteCount else { return body }
    var chunks: [UInt8] = []
    for start in stride(from: 0, to: body.count, by: chunkByteCount) {
      let chunk = body[start..<min(start + chunkByteCount, body.count)]
      chunks += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
    }
    return chunks + Array("0\r\n\r\n".utf8)
  }
}

/// One answer.
struct HookReply {
  let status: Int
  /// By names in lower case.
  let headers: [String: String]
  let body: String
  let text: String

  init(_ text: String) throws {
    self.text = text
    let parts = text.components(separatedBy: "\r\n\r\n")
    let lines = parts[0].components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    status = try #require(words.count > 1 ? Int(words[1]) : nil, "\(text)")
    headers = Dictionary(
      lines.dropFirst().compactMap { line -> (String, String)? in
        let pair = line.split(separator: ":", maxSplits: 1)
        guard pair.count == 2 else { return nil }
        return (pair[0].lowercased(), pair[1].trimmingCharacters(in: .whitespaces))
      }
    ) { first, _ in first }
    body = parts.dropFirst().joined(separator: "\r\n\r\n")
  }
}
