import Foundation
import Sodium
import TestSupport
import Testing

@Suite struct KeyFileTests {
  private let folder: TemporaryFolder
  private let cheap = PassphraseCost(operations: 1, memoryByteCount: 8_192)

  init() throws { folder = try TemporaryFolder() }

  @Test func `creates a pair that reads back`() throws {
    let identity = Identity(generating: try IdentityName("web1"))
    let paths = try KeyFile.create(identity, inDirectory: folder.path, passphrase: nil)
    #expect(paths == ("\(folder.path)/web1.key", "\(folder.path)/web1.pub"))
    #expect(try folder.mode(paths.secret) == 0o600)
    let locked = try KeyFile.readSecret(paths.secret)
    let needsPassphrase = locked.needsPassphrase
    #expect(!needsPassphrase)
    #expect(try locked.unlock().public == identity.public)
    #expect(try KeyFile.readPublic(paths.public) == identity.public)
  }

  @Test func `writes the known text`() throws {
    let path = "\(folder.path)/vector.key"
    try KeyFile.createSecret(Vectors.identity(), at: path, passphrase: nil)
    #expect(try folder.content(path) == Vectors.plainKeyFile)
    try KeyFile.createPublic(Vectors.identity().public, at: path + ".pub")
    #expect(
      try folder.content(path + ".pub") == """
        # distro public key of vector, fingerprint 573472ca59aa
        \(Vectors.line)

        """)
  }

  @Test func `reads the known text`() throws {
    let plain = try KeyFile.readSecret(try folder.file(Vectors.plainKeyFile, mode: 0o400))
    let name = plain.name
    #expect(name.text == "vector")
    #expect(try plain.unlock().public.line == Vectors.line)
    let encrypted = try KeyFile.readSecret(try folder.file(Vectors.encryptedKeyFile))
    let needsPassphrase = encrypted.needsPassphrase
    #expect(needsPassphrase)
    let identity = try encrypted.unlock(passphrase: passphrase(Vectors.passphrase))
    #expect(identity.public.line == Vectors.line)
  }

  @Test func `opens only with the right passphrase`() throws {
    let path = "\(folder.path)/vector.key"
    let right = try passphrase("right")
    try KeyFile.createSecret(Vectors.identity(), at: path, passphrase: right, cost: cheap)
    let locked = try KeyFile.readSecret(path)
    #expect(throws: SodiumError.passphraseNeeded(path)) { try locked.unlock() }
    for wrong in ["righ", "right ", "Right"] {
      let passphrase = try passphrase(wrong)
      #expect(throws: SodiumError.wrongPassphrase(path)) {
        try locked.unlock(passphrase: passphrase)
      }
    }
    #expect(try locked.unlock(passphrase: right).public.line == Vectors.line)
  }

  @Test func `encrypts at the moderate cost unless told`() throws {
    let path = "\(folder.path)/vector.key"
    let secret = try passphrase("right")
    try KeyFile.createSecret(Vectors.identity(), at: path, passphrase: secret)
    #expect(try folder.content(path).contains("\nargon2id 3 268435456 "))
    #expect(try !folder.content(path).contains("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"))
    #expect(try KeyFile.readSecret(path).unlock(passphrase: secret).public.line == Vectors.line)
  }

  @Test func `encrypts otherwise each time`() throws {
    let secret = try passphrase("right")
    let texts = try (0..<4).map { number in
      let path = "\(folder.path)/\(number)"
      try KeyFile.createSecret(Vectors.identity(), at: path, passphrase: secret, cost: cheap)
      return try folder.content(path).split(separator: "\n")
    }
    #expect(Set(texts.map { $0[2] }).count == 4)
    #expect(Set(texts.map { $0[3] }).count == 4)
  }

  @Test func `never overwrites`() throws {
    let identity = try Vectors.identity()
    let taken = try folder.file("precious")
    let dangling = "\(folder.path)/dangling"
    try FileManager.default.createSymbolicLink(
      atPath: dangling, withDestinationPath: "\(folder.path)/elsewhere")
    for path in [taken, dangling] {
      #expect(throws: SodiumError.alreadyThere(path)) {
        try KeyFile.createSecret(identity, at: path, passphrase: nil)
      }
      #expect(throws: SodiumError.alreadyThere(path)) {
        try KeyFile.createPublic(identity.public, at: path)
      }
    }
    #expect(try folder.content(taken) == "precious")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/elsewhere"))
  }

  @Test(arguments: ["key", "pub"]) func `creates no half pair`(taken: String) throws {
    let path = "\(folder.path)/vector.\(taken)"
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    #expect(throws: SodiumError.alreadyThere(path)) {
      _ = try KeyFile.create(Vectors.identity(), inDirectory: folder.path, passphrase: nil)
    }
    #expect(try folder.names == ["vector.\(taken)"])
  }

  @Test func `names the directory that is not there`() throws {
    let directory = "\(folder.path)/none"
    #expect(throws: SodiumError.notThere(directory)) {
      _ = try KeyFile.create(Vectors.identity(), inDirectory: directory, passphrase: nil)
    }
  }

  @Test func `reads public line among comments and through a link`() throws {
    let path = try folder.file("# one\n\n# two\n\(Vectors.line)\n", mode: 0o644)
    let link = "\(folder.path)/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(try KeyFile.readPublic(link).line == Vectors.line)
    let unterminated = try folder.file(Vectors.line)
    #expect(try KeyFile.readPublic(unterminated).line == Vectors.line)
  }
}
