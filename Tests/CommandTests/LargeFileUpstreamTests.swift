import Foundation
import GitModel
import TestSupport
import Testing

/// Contents of large files that real git-lfs has pushed to a code host, on their way to a private machine.
struct LargeFileUpstreamTests {
  private let installation: Installation
  private let host: PipelineRepository
  private let server: HTTPGitServer
  private static let token = "s3cret-token"
  private var folder: PipelineFolder { installation.folder }
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation(.init(branches: "[main, \"release/*\"]"))
    host = try PipelineRepository(
      making: installation.folder.path("host/shop.git"), in: installation.folder,
      options: ["--bare", "--initial-branch=main"])
    var options = HTTPGitServer.Options()
    options.token = Self.token
    server = try HTTPGitServer(
      root: installation.folder.path("host"), in: installation.folder, options)
    let url = server.url("shop.git/info/lfs").replacing("://", with: "://git:\(Self.token)@")
    for arguments in [
      ["lfs", "install", "--local"], ["config", "lfs.url", url],
      ["config", "lfs.locksverify", "false"], ["lfs", "track", "*.bin"],
      ["remote", "add", "host", host.path],
    ] {
      let result = try source.run(arguments)
      try #require(result.status == 0, "\(arguments): \(result.errors)")
    }
    try installation.folder.write("serve.yaml", "signer: signer.yaml\n")
    try installation.folder.writeSecret(Self.token, to: "token")
  }

  private func content(_ seed: UInt64) -> Data { Data(PatchCases.randomBytes(2 << 20, seed: seed)) }

  private func push(_ files: [String: UInt64]) throws {
    for (name, seed) in files {
      try content(seed).write(to: URL(fileURLWithPath: source.path + "/" + name))
    }
    try source.commit([:])
    try source.git("push", "-q", "host", "main")
  }

  private func configure() throws {
    try folder.edit(
      "signer.yaml", "path: shop\n",
      "upstream: \(server.url("shop.git"))\n    token-file: token\n    lfs: ship\n")
    try folder.edit("signer.yaml", "poll-seconds: never", "poll-seconds: 1")
  }

  private func start() throws -> (applier: RunningProgram, signer: RunningProgram) {
    let applier = try installation.startDaemon()
    try configure()
    return (applier, try installation.startSigner())
  }

  private func expect(
    _ files: [String: UInt64], _ signer: RunningProgram,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(
      try becomesTrue { try installation.checkout.stands(at: source.id("main").hex) },
      "\(signer.log)", sourceLocation: sourceLocation)
    let checkout = installation.checkout
    for (name, seed) in files {
      let found = FileManager.default.contents(atPath: checkout.path + "/" + name)
      #expect(found == content(seed), "\(name)", sourceLocation: sourceLocation)
    }
    #expect(try checkout.status() == "", sourceLocation: sourceLocation)
  }

  @Test func `what git-lfs pushed to the host arrives as files`() throws {
    try push(["big.bin": 1, "other.bin": 2])
    let (applier, signer) = try start()
    try expect(["big.bin": 1, "other.bin": 2], signer)
    try push(["big.bin": 3])
    try expect(["big.bin": 3, "other.bin": 2], signer)
    // Only what is new was asked for.
    #expect(server.asked("GET").count == 3)
    #expect(!signer.log.contains(Self.token))
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `a content that the host lacks stops its branch alone, until it is there`() throws {
    try source.commit(["a": "1\n"])
    try source.git("push", "-q", "host", "main:release/1")
    try push(["big.bin": 1])
    let oid = try #require(try server.names().first)
    let (path, away) = (try server.largeFile(oid), folder.path("away"))
    try FileManager.default.moveItem(atPath: path, toPath: away)
    let (applier, signer) = try start()
    let line = try signer.line(with: "event=branch-failed")
    #expect(line.contains("big.bin") && line.contains("code=large-file-missing"), "\(line)")
    #expect(try signer.line(with: "event=branch-sent").contains("release/1"))
    let sent = try installation.send("--ref", "main")
    expectFailure(sent, "\"big.bin\": large file \(oid.prefix(12))", "git lfs push")
    try FileManager.default.moveItem(atPath: away, toPath: path)
    try expect(["big.bin": 1], signer)
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  /// The only content in the mirror's store.
  private func mirrored() throws -> String {
    let directory = folder.path("var/signer/upstreams")
    let oid = try #require(try server.names().first)
    let name = try #require(
      FileManager.default.subpathsOfDirectory(atPath: directory)
        .first { $0.contains("/lfs/objects/") && $0.hasSuffix(oid) })
    return directory + "/" + name
  }

  @Test func `a content that went bad in the mirror is fetched again`() throws {
    try push(["big.bin": 1])
    let (applier, signer) = try start()
    try expect(["big.bin": 1], signer)
    try content(2).write(to: URL(fileURLWithPath: mirrored()))
    let sent = try installation.send("--ref", "main", "--snapshot")
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(server.asked("GET").count == 2)
    try expect(["big.bin": 1], signer)
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `a daemon removes what no message has needed for a week`() throws {
    try push(["big.bin": 1])
    let applier = try installation.startDaemon()
    try configure()
    let sent = try installation.send("--ref", "main")
    #expect(sent.status == 0, "\(sent.errors)")
    let path = try mirrored()
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -8 * 86_400)], ofItemAtPath: path)
    let signer = try installation.startSigner()
    #expect(becomesTrue { !FileManager.default.fileExists(atPath: path) }, "\(signer.log)")
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }
}

extension HTTPGitServer {
  /// Of the contents that it has.
  fileprivate func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: largeFile(""))
  }
}
