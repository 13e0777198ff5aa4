import Foundation
import TestSupport
import Testing

/// Real git-lfs at the signer's side, and none at the private machine's.
struct LargeFileTests {
  private let installation: Installation
  private var source: PipelineRepository { installation.source }
  private var checkout: PipelineRepository { installation.checkout }

  init() throws {
    var options = Installation.Options()
    options.signer = "    lfs: ship"
    installation = try Installation(options)
    try source.git("lfs", "install", "--local")
    try source.git("lfs", "track", "*.bin")
    try write("big.bin", seed: 1, to: source)
    try source.commit(["a": "1\n"])
  }

  private func write(_ name: String, seed: UInt64, to repository: PipelineRepository) throws {
    let content = PatchCases.randomBytes(3 << 20, seed: seed)
    try Data(content).write(to: URL(fileURLWithPath: repository.path + "/" + name))
  }

  private func content(_ name: String, of repository: PipelineRepository) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: repository.path + "/" + name))
  }

  /// As on a machine without git-lfs, whose package configures its filter for all.
  private func startDaemon() throws -> RunningProgram {
    let hide =
      "[ ! -e /etc/gitconfig ] || mount --bind /dev/null /etc/gitconfig; exec \"$0\" \"$@\""
    let daemon = try RunningProgram(
      PipelineProgram("/usr/bin/unshare", in: installation.folder),
      [
        "--mount", "sh", "-c", hide, Installation.executable, "verify-apply", "--config",
        "web1.yaml",
      ])
    try installation.adoptEndpoint(of: daemon)
    return daemon
  }

  /// What git-lfs makes of the same revision.
  private func reference() throws -> PipelineRepository {
    let folder = installation.folder
    let name = "beside-\(UUID().uuidString)"
    try source.git("clone", "-q", "file://" + source.path, folder.path(name))
    let beside = PipelineRepository(at: folder.path(name), in: folder)
    try beside.git("lfs", "install", "--local")
    try beside.git("lfs", "pull")
    return beside
  }

  private func expectAsReference(_ names: String...) throws {
    try installation.expectEqual()
    let beside = try reference()
    #expect(try beside.status() == "")
    for name in names {
      #expect(try content(name, of: checkout) == content(name, of: beside), "\(name)")
    }
    #expect(
      try checkout.git("lfs", "ls-files", "--size") == beside.git("lfs", "ls-files", "--size"))
    #expect(try checkout.git("lfs", "fsck") == beside.git("lfs", "fsck"))
  }

  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `a checkout is what git-lfs makes of the revision, with git alone`() throws {
    let daemon = try startDaemon()
    #expect(try installation.sendMain().status == 0)
    try expectAsReference("big.bin")
    try write("big.bin", seed: 2, to: source)
    try write("dir.bin", seed: 3, to: source)
    try source.commit([:])
    #expect(try installation.sendMain().status == 0)
    try expectAsReference("big.bin", "dir.bin")
    try source.git("mv", "big.bin", "moved.bin")
    try source.commit([:])
    #expect(try installation.sendMain().status == 0)
    try expectAsReference("moved.bin", "dir.bin")
    let doctor = try Examination(installation, "web1.yaml")
    doctor.expect("ok", "checkout", "nothing changed by hand")
    #expect(daemon.end().status == 0)
  }

  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `git works with large files through our filter, where it has no other`() throws {
    let daemon = try startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(
      try checkout.git("config", "--local", "filter.lfs.clean")
        == "'\(Installation.executable)' lfs-filter clean")
    let path = checkout.path + "/big.bin"
    let original = try content("big.bin", of: checkout)
    // Its time says nothing any more.
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
    #expect(try checkout.status() == "")
    // A change is one, and goes into the store with the index.
    try write("big.bin", seed: 9, to: checkout)
    let changed = try content("big.bin", of: checkout)
    #expect(try checkout.status() == " M big.bin")
    let doctor = try Examination(installation, "web1.yaml")
    doctor.expect("warning", "checkout", "1 file was changed by hand: big.bin")
    try checkout.git("stash", "-q")
    #expect(try content("big.bin", of: checkout) == original)
    #expect(try checkout.status() == "")
    try checkout.git("stash", "pop", "-q")
    #expect(try content("big.bin", of: checkout) == changed)
    try checkout.git("checkout", "-q", "--", "big.bin")
    #expect(try content("big.bin", of: checkout) == original)
    try FileManager.default.removeItem(atPath: path)
    try checkout.git("reset", "-q", "--hard")
    #expect(try content("big.bin", of: checkout) == original)
    // It stays what it is where the index is made anew, or git-lfs comes along.
    try FileManager.default.removeItem(atPath: checkout.path + "/.git/index")
    try checkout.git("reset", "-q")
    #expect(try checkout.status() == "")
    try checkout.git("lfs", "install", "--local", "--force")
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
    #expect(try checkout.status() == "")
    #expect(daemon.end().status == 0)
  }

  @Test func `a content that the signer lacks is named, with what to do`() throws {
    let daemon = try installation.startDaemon()
    try FileManager.default.removeItem(atPath: source.path + "/.git/lfs")
    let result = try installation.sendMain()
    expectFailure(
      result, "\"big.bin\": large file ",
      "(3145728 bytes) is not in \(source.path)/.git/lfs/objects",
      "git lfs fetch --all")
    #expect(daemon.end().status == 0)
  }
}
