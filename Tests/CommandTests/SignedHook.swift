import Foundation
import TestSupport

/// A push to main as a host of the kind `generic` tells of it, and the program that does: curl.
struct SignedHook {
  static let secret = "secret-of-the-hook-0123"
  static let payload = #"{"ref":"refs/heads/main"}"#
  /// `openssl dgst -sha256 -hmac secret-of-the-hook-0123` of the payload.
  static let signature = "360000c30445f85ec1b8d59c5f69d44b16409017e5d7b3426829393e70a9f63d"

  static func header(_ signature: String = signature) -> String {
    "X-Hub-Signature-256: sha256=\(signature)"
  }

  let folder: PipelineFolder

  /// The file `secret`, which its owner alone can read.
  func writeSecret() throws {
    try folder.writeSecret(Self.secret, to: "secret")
  }

  /// The status of the answer.
  func post(
    to port: UInt16, _ options: [String] = ["--header", header()], body: String = payload
  ) throws -> String {
    try folder.write("body", body)
    return try PipelineProgram("/usr/bin/curl", in: folder).run(
      [
        "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--data-binary",
        "@body", "--header", "Content-Type: application/json",
      ] + options + ["http://127.0.0.1:\(port)/hooks/shop"]
    ).text
  }
}
