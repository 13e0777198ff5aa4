import Foundation
import Sodium
import TestSupport
import Testing

@Suite struct KeyFileRefusalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expectSecret(
    _ path: String, throws error: SodiumError, at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: location) { _ = try KeyFile.readSecret(path) }
  }

  private func expectPublic(
    _ path: String, throws error: SodiumError, at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: location) { try KeyFile.readPublic(path) }
  }

  @Test func `refuses what is not there`() {
    let path = "\(folder.path)/none"
    expectSecret(path, throws: .notThere(path))
    expectPublic(path, throws: .notThere(path))
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o610, 0o601, 0o777])
  func `refuses secret file that others can open`(mode: Int) throws {
    let path = try folder.file(Vectors.plainKeyFile, mode: mode)
    let error = SodiumError.openToOthers(path, mode: UInt32(mode))
    expectSecret(path, throws: error)
    #expect(error.description.contains("0\(String(mode, radix: 8))"))
    #expect(error.description.contains("chmod 600"))
  }

  @Test func `refuses what is no regular file without waiting`() throws {
    let pipe = "\(folder.path)/pipe"
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    for path in [pipe, folder.path, "/dev/null"] {
      expectSecret(path, throws: .notRegularFile(path))
      expectPublic(path, throws: .notRegularFile(path))
    }
  }

  @Test func `refuses link to secret file`() throws {
    let path = try folder.file(Vectors.plainKeyFile)
    let link = "\(folder.path)/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    expectSecret(link, throws: .notRegularFile(link))
  }

  @Test func `refuses file over the limit`() throws {
    let path = try folder.file([UInt8](repeating: UInt8(ascii: "#"), count: 4_097))
    expectSecret(path, throws: .tooLarge(path, byteCountMax: 4_096))
    expectPublic(path, throws: .tooLarge(path, byteCountMax: 4_096))
  }

  @Test func `tells public from secret file`() throws {
    let wrongSecret = try folder.file("# comment\n\(Vectors.line)\n", mode: 0o644)
    expectSecret(wrongSecret, throws: .publicInsteadOfSecret(wrongSecret))
    let wrongPublic = try folder.file(Vectors.plainKeyFile)
    expectPublic(wrongPublic, throws: .secretInsteadOfPublic(wrongPublic))
  }

  @Test func `refuses foreign file`() throws {
    let path = try folder.file("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")
    expectSecret(path, throws: .notKeyFile(path))
    expectPublic(path, throws: .notKeyFile(path))
  }

  @Test func `refuses two public lines`() throws {
    let path = try folder.file("\(Vectors.line)\n\(Vectors.line)\n")
    expectPublic(path, throws: .notKeyFile(path))
  }

  @Test func `refuses unknown version`() throws {
    let path = try folder.file(Vectors.plainKeyFile.replacing("secret-1", with: "secret-2"))
    expectSecret(path, throws: .unknownVersion(path, version: "distro-secret-2"))
    let other = try folder.file(Vectors.line.replacing("public-1", with: "public-9"))
    expectPublic(other, throws: .unknownVersion(other, version: "distro-public-9"))
  }

  @Test(arguments: [Vectors.plainKeyFile, Vectors.encryptedKeyFile])
  func `tells truncation at any byte`(text: String) throws {
    let content = Array(text.utf8)
    for count in content.indices {
      let path = try folder.file(Array(content.prefix(count)))
      expectSecret(path, throws: .truncated(path))
    }
  }

  @Test func `tells truncation of public file`() throws {
    let content = "# comment\n\(Vectors.line)"
    for count in 0..<content.count - "vector".count
    where count != 1 && count != "# comment\ndistro-public-1".count {
      let path = try folder.file(String(content.prefix(count)))
      expectPublic(path, throws: .truncated(path))
    }
  }

  /// Below the version line, whatever changes is damage, and never a wrong passphrase.
  @Test(arguments: [Vectors.plainKeyFile, Vectors.encryptedKeyFile])
  func `tells damage of any byte`(text: String) throws {
    let content = Array(text.utf8)
    let newline = UInt8(ascii: "\n")
    let versionEnd = Vectors.comment.utf8.count + "distro-secret-1 ".utf8.count
    for index in content.indices where content[index] != newline {
      var changed = content
      changed[index] ^= 1
      let path = try folder.file(changed)
      if index < versionEnd && index >= Vectors.comment.utf8.count {
        #expect(throws: SodiumError.self) { _ = try KeyFile.readSecret(path) }
      } else {
        expectSecret(path, throws: .damaged(path))
      }
    }
  }

  @Test func `tells damage by other line ends and additions`() throws {
    for text in [
      Vectors.plainKeyFile.replacing("\n", with: "\r\n"), Vectors.plainKeyFile + "\n",
      Vectors.plainKeyFile + "more", Vectors.plainKeyFile + Vectors.plainKeyFile,
    ] {
      let path = try folder.file(text)
      expectSecret(path, throws: .damaged(path))
    }
  }

  /// Whoever changes the checksum too still can't change name, cost or seed of an encrypted file.
  @Test func `refuses encrypted file of another name as if the passphrase were wrong`() throws {
    let path = try folder.file(
      signed(Vectors.encryptedKeyFile.replacing("secret-1 vector", with: "secret-1 mallory")))
    let locked = try KeyFile.readSecret(path)
    let passphrase = try passphrase(Vectors.passphrase)
    #expect(throws: SodiumError.wrongPassphrase(path)) {
      try locked.unlock(passphrase: passphrase)
    }
  }

  static let costs = [
    PassphraseCost(operations: 17, memoryByteCount: 8_192),
    PassphraseCost(operations: 1, memoryByteCount: (1 << 30) + 1),
    PassphraseCost(operations: 0, memoryByteCount: 8_192),
    PassphraseCost(operations: 1, memoryByteCount: 8_191),
    PassphraseCost(operations: .max, memoryByteCount: .max),
  ]

  @Test(arguments: ["+1 8192", "01 8192", "1 8192 ", "1  8192", "1"])
  func `refuses cost in any other form`(numbers: String) throws {
    let path = try folder.file(
      signed(Vectors.encryptedKeyFile.replacing("1 8192", with: numbers)))
    expectSecret(path, throws: .damaged(path))
  }

  @Test(arguments: costs)
  func `refuses cost outside the limits before it is paid`(cost: PassphraseCost) throws {
    let numbers = "2id \(cost.operations) \(cost.memoryByteCount)"
    let path = try folder.file(
      signed(Vectors.encryptedKeyFile.replacing("2id 1 8192", with: numbers)))
    expectSecret(path, throws: .costOverLimit(path, cost))
  }

  @Test(arguments: [
    ("plain", "scrypt"), ("secret-1 vector", "secret-1 ../vector"), ("plain", "plain "),
    ("AAEC", "AAE"), ("Hh8\n", "Hh9\n"),
  ])
  func `refuses other forms even with a checksum that fits`(old: String, new: String) throws {
    let path = try folder.file(signed(Vectors.plainKeyFile.replacing(old, with: new)))
    #expect(throws: SodiumError.self) { _ = try KeyFile.readSecret(path) }
  }

  /// The text with a checksum that fits.
  private func signed(_ text: String) -> String {
    let lines = text.split(separator: "\n").dropLast().map { $0 + "\n" }.joined()
    let checksum = Data(Digest(of: Array(lines.utf8)).bytes).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    return lines + "checksum \(checksum)\n"
  }
}
