import Foundation
import TestSupport
import Testing

/// A signer that fetches: from a host that its agent opens, and through kills in the middle of a fetch.
struct UpstreamFaultTests {
  private let installation: Installation
  private let host: PipelineRepository
  private var folder: PipelineFolder { installation.folder }
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation()
    host = try PipelineRepository(
      making: installation.folder.path("host/shop.git"), in: installation.folder,
      options: ["--bare", "--initial-branch=main"])
    try folder.write("serve.yaml", "signer: signer.yaml\n")
    try source.commit(["a": "1\n"])
    try push()
  }

  private func push() throws { try source.git("push", "-q", "--force", host.path, "main") }

  private func configure(_ url: String, pollSeconds: String, _ more: String = "") throws {
    try folder.edit("signer.yaml", "path: shop\n", "upstream: \(url)\n\(more)")
    try folder.edit("signer.yaml", "poll-seconds: never", "poll-seconds: \(pollSeconds)")
  }

  /// The process that works for this URL; `nil`: there is none.
  private func git(for url: String) throws -> pid_t? {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.first {
      guard let data = FileManager.default.contents(atPath: "/proc/\($0)/cmdline") else {
        return false
      }
      let words = String(decoding: data, as: UTF8.self)
      return words.contains("\0fetch\0") && words.contains(url)
    }
  }

  private func mirror() throws -> PipelineRepository {
    let directory = folder.path("var/signer/upstreams")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    let name = try #require(names.first { $0.hasSuffix(".git") })
    return PipelineRepository(at: directory + "/" + name, in: folder)
  }

  /// Files of packs that are being written.
  private func partials() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: try mirror().path + "/objects/pack")
      .filter { $0.hasPrefix("tmp_") }
  }

  @Test func `git and daemon killed in the middle of a fetch leave a mirror that is good`() throws {
    let stall = folder.path("stall")
    var options = HTTPGitServer.Options()
    options.stallFile = stall
    let server = try HTTPGitServer(root: folder.path("host"), in: folder, options)
    let url = server.url("shop.git")
    let applier = try installation.startDaemon()
    try configure(url, pollSeconds: "1")
    let signer = try installation.startSigner()
    #expect(try becomesTrue { try installation.checkout.stands(at: source.id("main").hex) })

    try folder.write("stall", "")
    try Data(PatchCases.randomBytes(2 << 20, seed: 7)).write(
      to: URL(fileURLWithPath: source.path + "/large"))
    let id = try source.commit(["a": "2\n"])
    try push()
    #expect(try becomesTrue { try git(for: url) != nil && !partials().isEmpty }, "\(signer.log)")
    let fetching = try #require(try git(for: url))
    #expect(signer.end(SIGKILL).status == -SIGKILL)
    // It leads a group of its own, with all that it has started.
    kill(-fetching, SIGKILL)
    #expect(try becomesTrue { try git(for: url) == nil })

    try FileManager.default.removeItem(atPath: stall)
    let next = try installation.startSigner()
    #expect(becomesTrue { installation.checkout.stands(at: id.hex) }, "\(next.log)")
    try installation.expectEqual()
    #expect(try mirror().fsck() == "" && mirror().id("main") == id)
    #expect(try partials() == [])
    next.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test(.enabled(if: SSHServer.isAllowed, "there is no sshd"))
  func `a key of the ssh agent opens an upstream`() throws {
    let server = try SSHServer(in: folder)
    let agent = try SSHAgent(holding: server.key, in: folder)
    let applier = try installation.startDaemon()
    try configure(
      server.url(host.path), pollSeconds: "never", "    known-hosts-file: \(server.knownHosts)\n")
    func send(_ environment: [String: String]) throws -> ProgramResult {
      try installation.program.run(
        [
          "sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait",
          "\(patience.components.seconds)",
        ], environment: environment)
    }
    expectFailure(try send([:]), "does not take a key of the ssh agent, or there is no agent")
    let result = try send(["SSH_AUTH_SOCK": agent.socket])
    #expect(result.status == 0, "\(result.errors) \(server.log)")
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }
}
