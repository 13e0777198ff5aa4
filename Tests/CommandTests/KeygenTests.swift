import Foundation
import TestSupport
import Testing

struct KeygenTests {
  private let folder: PipelineFolder
  private let program: PipelineProgram

  init() throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Installation.executable, in: folder)
  }

  private func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(name))
    return try #require(attributes[.posixPermissions] as? Int)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.path(name), encoding: .utf8)
  }

  @Test func `writes a secret file for its owner alone and a public one`() throws {
    let result = try program.run(["keygen", "web1"])
    #expect(result.status == 0)
    #expect(try mode("keys") == 0o700)
    #expect(try mode("keys/web1.key") == 0o600)
    #expect(try mode("keys/web1.pub") == 0o644)
    #expect(try text("keys/web1.pub").contains(result.text + "\n"))
    #expect(result.errors.contains("fingerprint  "))
    let secret = try secretLine()
    #expect(!result.text.contains(secret) && !result.errors.contains(secret))
  }

  @Test func `tells machines what it made and nothing secret`() throws {
    let result = try program.run(["keygen", "web1", "--json"])
    #expect(result.status == 0 && result.errors.isEmpty)
    let fields = try JSONDecoder().decode([String: String].self, from: Data(result.output))
    #expect(
      Set(fields.keys) == ["name", "fingerprint", "line", "secretFile", "publicFile"])
    #expect(fields["name"] == "web1" && fields["secretFile"] == "keys/web1.key")
    let line = try #require(fields["line"])
    #expect(try text("keys/web1.pub").contains(line + "\n"))
    #expect(!result.text.contains(try secretLine()))
  }

  @Test func `directory that cannot be made is named`() throws {
    try folder.write("file", "")
    expectFailure(
      try program.run(["keygen", "web1", "--directory", "file/keys"]),
      "distro: error: file/keys: Not a directory")
  }

  private func secretLine() throws -> String {
    String(try #require(try text("keys/web1.key").split(separator: "\n").last))
  }

  @Test func `never overwrites an identity`() throws {
    #expect(try program.run(["keygen", "web1"]).status == 0)
    let (secret, known) = (try text("keys/web1.key"), try text("keys/web1.pub"))
    expectFailure(
      try program.run(["keygen", "web1"]), "distro: error:", "never overwritten", "distro: hint:")
    // Where only one of the two is there, nothing is added to it.
    try FileManager.default.removeItem(atPath: folder.path("keys/web1.key"))
    expectFailure(try program.run(["keygen", "web1"]), "exists already")
    #expect(!FileManager.default.fileExists(atPath: folder.path("keys/web1.key")))
    #expect(try text("keys/web1.pub") == known)
    #expect(!secret.isEmpty)
  }

  @Test(arguments: ["", "../up", "a b", ".hidden", String(repeating: "n", count: 65)])
  func `refuses names that are none`(name: String) throws {
    let words = try program.run(["keygen", name])
    #expect(words.status == 64 && words.errors.contains("name"), "\(words.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("keys")))
  }

  @Test func `command line mistakes are usage errors`() throws {
    #expect(try program.run(["keygen"]).status == 64)
    #expect(try program.run(["sign-and-send", "--nonsense"]).status == 64)
    #expect(
      try program.run(["keygen", "a", "--passphrase", "--passphrase-file", "x"]).status == 64)
    for command in [["--help"], ["keygen", "--help"], ["sign-and-send", "--help"], ["--version"]] {
      #expect(try program.run(command).status == 0)
    }
  }

  @Test func `passphrase file encrypts the key and is needed from then on`() throws {
    try folder.write("phrase", "correct horse\n")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: folder.path("phrase"))
    #expect(try program.run(["keygen", "signer", "--passphrase-file", "phrase"]).status == 0)
    #expect(try program.run(["keygen", "web1"]).status == 0)
    let configuration = """
      identity: keys/signer.key
      state: var
      carriers: [{zeromq: {connect: "tcp://127.0.0.1:1", server: keys/web1.pub}}]
      repositories: [{path: shop, remote: r, branches: [main], recipients: [keys/web1.pub]}]

      """
    try folder.write("a.yaml", configuration)
    let command = ["sign-and-send", "--flush", "--wait", "0", "--config"]
    expectFailure(
      try program.run(command + ["a.yaml"]), status: 78, "needs a passphrase", "passphrase-file")
    try folder.write("b.yaml", configuration + "passphrase-file: phrase\n")
    #expect(try program.run(command + ["b.yaml"]).status == 0)
    try folder.write("phrase", "wrong horse\n")
    expectFailure(try program.run(command + ["b.yaml"]), status: 78, "the passphrase is wrong")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: folder.path("phrase"))
    expectFailure(try program.run(command + ["b.yaml"]), status: 78, "open to group or others")
  }
}
