import Foundation
import Host
import TestSupport
import Testing

/// Secrets that lie in files of their own.
struct SecretFileTests {
  private let folder: PipelineFolder

  init() throws { folder = try PipelineFolder() }

  private func file(_ text: String, mode: Int = 0o600) throws -> SecretFile {
    let path = try folder.write("secret", text)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return SecretFile(path)
  }

  @Test func `the first line is the secret`() throws {
    for text in ["s3cret", "s3cret\n", "s3cret\r\n", "s3cret\nmore\n"] {
      #expect(try file(text).firstLine() == "s3cret")
    }
    #expect(try file("a b ä\n", mode: 0o400).firstLine() == "a b ä")
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o644])
  func `a file that others can read is refused`(mode: Int) throws {
    let secret = try file("x\n", mode: mode)
    #expect(throws: SecretFileError.open(secret.path, mode: UInt32(mode))) {
      try secret.firstLine()
    }
    #expect(throws: SecretFileError.self) { try secret.requirePrivate() }
  }

  @Test func `what is no secret is refused`() throws {
    for text in ["", "\n", "a\u{7f}b\n", "\u{1b}[2J\n"] {
      #expect(throws: SecretFileError.self, "\(text.debugDescription)") {
        try file(text).firstLine()
      }
    }
    let none = SecretFile(folder.path("none"))
    #expect(throws: SecretFileError.missing(none.path)) { try none.firstLine() }
    #expect(throws: SecretFileError.self) { try SecretFile(folder.path).firstLine() }
  }
}
