import Foundation
import TestSupport
import Testing

/// Submodules of a code host's repository, shipped: fetched as the repository itself is, one inside the other.
struct SubmoduleUpstreamTests {
  enum Transport: String, CaseIterable, CustomTestStringConvertible {
    case https, ssh

    static let possible = allCases.filter { $0 == .https || SSHServer.isAllowed }

    var testDescription: String { rawValue }
  }

  private static let token = "s3cret-token"
  private static let path = "vendor/lib"

  private let installation: Installation
  private let lib: PipelineRepository
  private var folder: PipelineFolder { installation.folder }
  private var source: PipelineRepository { installation.source }
  private var root: String { folder.path("host") }

  init() throws {
    installation = try Installation(.init(pollSeconds: "1"))
    let folder = installation.folder
    let inner = try PipelineRepository(making: folder.path("inner"), in: folder)
    lib = try PipelineRepository(making: folder.path("lib"), in: folder)
    try inner.commit(["inner": "1\n"])
    try publish(inner, "inner")
    try lib.commit(["lib": "1\n", "dir/lib": "1\n"])
    try add("inner", at: "inner", to: lib)
    try publish(lib, "lib")
    try source.commit(["a": "1\n"])
    try add("lib", at: Self.path, to: source)
    try publish(source, "shop")
    try folder.write("serve.yaml", "signer: signer.yaml\n")
    try folder.writeSecret(Self.token, to: "token")
  }

  private func publish(_ repository: PipelineRepository, _ name: String) throws {
    let path = "\(root)/\(name).git"
    if !FileManager.default.fileExists(atPath: path) {
      _ = try PipelineRepository(
        making: path, in: folder, options: ["--bare", "--initial-branch=main"])
    }
    try repository.git("push", "-q", path, "HEAD:main")
  }

  /// By an URL that leads from the repository's own to its neighbour.
  private func add(_ name: String, at path: String, to repository: PipelineRepository) throws {
    try repository.git(
      "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "\(root)/\(name).git", path
    )
    try repository.git("config", "--file", ".gitmodules", "submodule.\(path).url", "../\(name).git")
    try repository.git("commit", "-q", "-a", "-m", "\(path)")
  }

  /// The same commit of the library in its place in the shop.
  private func moveOn(_ content: String) throws {
    try lib.commit(["lib": content, "more/\(content.prefix(1))": content])
    try publish(lib, "lib")
    let inside = PipelineRepository(at: source.path + "/" + Self.path, in: folder)
    try inside.git("fetch", "-q", "\(root)/lib.git", "main")
    try inside.git("checkout", "-q", "FETCH_HEAD")
    try source.git("commit", "-q", "-a", "-m", "lib \(content)")
    try publish(source, "shop")
  }

  private func expectAsClone(_ signer: RunningProgram) throws {
    let revision = try source.id().hex
    #expect(becomesTrue { installation.checkout.stands(at: revision) }, "\(signer.log)")
    let beside = folder.path("beside-\(revision.prefix(12))")
    try source.git(
      "-c", "protocol.file.allow=always", "clone", "-q", "--recurse-submodules",
      "\(root)/shop.git", beside)
    let comparison = try PipelineProgram("/usr/bin/diff", in: folder).run(
      ["-r", "--exclude=.git", beside, installation.checkout.path])
    #expect(comparison.status == 0, "\(comparison.text)")
    /// Without the names that git finds for the commits in each history.
    func pins(_ repository: PipelineRepository) throws -> [String] {
      try repository.git("submodule", "status", "--recursive").split(separator: "\n").map { line in
        line.prefix { $0 != "(" }.trimmingCharacters(in: .whitespaces)
      }
    }
    let found = try pins(installation.checkout)
    #expect(try found == pins(PipelineRepository(at: beside, in: folder)) && found.count == 2)
    #expect(try installation.checkout.status() == "")
  }

  @Test(arguments: Transport.possible)
  func `submodules are fetched with the credentials of their repository, and arrive`(
    transport: Transport
  ) throws {
    let applier = try installation.startDaemon()
    var options = HTTPGitServer.Options()
    (options.token, options.isTLS) = (Self.token, true)
    let web = transport == .https ? try HTTPGitServer(root: root, in: folder, options) : nil
    let ssh = transport == .ssh ? try SSHServer(in: folder) : nil
    let credentials =
      if let web {
        "upstream: \(web.url("shop.git"))\n    token-file: token\n    ca-file: \(web.certificate)\n"
      } else if let ssh {
        "upstream: \(ssh.url("\(root)/shop.git"))\n    key-file: \(ssh.key)\n"
          + "    known-hosts-file: \(ssh.knownHosts)\n"
      } else {
        ""
      }
    try folder.edit("signer.yaml", "path: shop\n", credentials + "    submodules: ship\n")
    let signer = try installation.startSigner()
    try expectAsClone(signer)
    try moveOn("2\n")
    try expectAsClone(signer)
    #expect(!signer.log.contains(Self.token))
    signer.expectEnd()
    #expect(applier.end().status == 0, "\(web?.log ?? ssh?.log ?? "")")
  }
}
