import Foundation
import TestSupport
import Testing

/// What a push to the public machine may hold, as git's hook gives it to the program.
struct PushInputTests {
  private let installation: Installation
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation()
    try source.commit(["a": "1\n"])
  }

  @Test func `a branch is sent however many other refs the push moves`() throws {
    let daemon = try installation.startDaemon()
    let id = try source.id().hex
    let zeros = String(repeating: "0", count: 40)
    let tags = (0..<10_000).map { "\(zeros) \(id) refs/tags/t\($0)\n" }.joined()
    let result = try installation.send(input: tags + "\(zeros) \(id) refs/heads/main\n")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.contains(" applied "))
    #expect(result.errors.contains("refs/tags/t19: only branches"))
    #expect(!result.errors.contains("refs/tags/t20"))
    #expect(result.errors.contains("9980 more refs"))
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: TreeBomb.Kind.allCases)
  func `a push of a bomb ends at once, with little memory`(kind: TreeBomb.Kind) throws {
    let root = try TreeBomb.make(kind) { isTree, bytes in
      let id = try source.git(
        "hash-object", "-w", "-t", isTree ? "tree" : "blob", "--stdin", input: bytes)
      let digits = Array(id.utf8)
      let pairs = stride(from: 0, to: digits.count, by: 2).map { digits[$0..<$0 + 2] }
      return (id, pairs.compactMap { UInt8(String(decoding: $0, as: UTF8.self), radix: 16) })
    }
    let commit = try source.git("commit-tree", root, "-p", "main", "-m", "bomb")
    let before = try source.id("main").hex
    try source.git("update-ref", "refs/heads/main", commit)
    let shell = PipelineProgram("/bin/sh", in: installation.folder)
    let result = try shell.run(
      [
        "-c", "ulimit -v 3000000 && exec \"$0\" sign-and-send --config signer.yaml --wait 0",
        Installation.executable,
      ], input: Array("\(before) \(commit) refs/heads/main\n".utf8))
    #expect(result.status == 1, "\(result.status) \(result.errors)")
    #expect(result.errors.contains(commit) && result.errors.contains("the limit"))
    #expect(result.errors.contains("distro: hint:") && result.errors.contains("limits:"))
  }

  @Test func `limits are read, and a wrong one is refused by its name`() throws {
    try installation.folder.write(
      "limited.yaml",
      try String(contentsOfFile: installation.folder.path("signer.yaml"), encoding: .utf8)
        + "\n    limits: {paths: 1, path-bytes: 100, bytes: 1000}\n")
    try source.commit(["b": "2\n"])
    let refused = try installation.program.run(
      ["sign-and-send", "--config", "limited.yaml", "--ref", "main", "--wait", "0"])
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(refused.errors.contains("more than 1 paths"))
    try installation.folder.write(
      "wrong.yaml",
      try String(contentsOfFile: installation.folder.path("signer.yaml"), encoding: .utf8)
        + "\n    limits: {bytes: 0}\n")
    let wrong = try installation.program.run(
      ["sign-and-send", "--config", "wrong.yaml", "--ref", "main", "--wait", "0"])
    #expect(wrong.status == 78 && wrong.errors.contains("limits.bytes"), "\(wrong.errors)")
  }

  @Test(
    .enabled(if: getuid() == 0, "only root can give a directory away"),
    arguments: ["*", "PATH", "PARENT/*"])
  func `a repository of another user is taken where safe.directory allows it`(
    value: String
  ) throws {
    for name in [source.path, source.path + "/.git"] {
      try FileManager.default.setAttributes([.ownerAccountID: 12_345], ofItemAtPath: name)
    }
    let home = installation.folder.path("other-home")
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: false)
    let arguments = ["sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait", "0"]
    let refused = try installation.program.run(arguments, environment: ["HOME": home])
    #expect(refused.status != 0 && refused.errors.contains("safe.directory"), "\(refused.errors)")
    let path = value.replacing("PATH", with: source.path)
      .replacing("PARENT", with: installation.folder.path)
    try Data("[safe]\n\tdirectory = \(path)\n".utf8)
      .write(to: URL(fileURLWithPath: home + "/.gitconfig"))
    let taken = try installation.program.run(arguments, environment: ["HOME": home])
    #expect(taken.status == 0, "\(taken.errors)")
    // An empty value forgets those before it.
    try Data("[safe]\n\tdirectory = \(path)\n\tdirectory =\n".utf8)
      .write(to: URL(fileURLWithPath: home + "/.gitconfig"))
    #expect(try installation.program.run(arguments, environment: ["HOME": home]).status != 0)
  }
}
