import Foundation
import TestSupport
import Testing

/// Every finding of `distro doctor` about checkouts, repositories and carriers, provoked on the real program.
struct DoctorPeerTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }
  private var live: PipelineRepository { installation.checkout }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  private func examine(_ name: String = "web1.yaml") throws -> Examination {
    try Examination(installation, name)
  }

  /// As a snapshot leaves it.
  private func makeCheckout() throws {
    try installation.source.git("clone", "-q", installation.source.path, live.path)
    try live.git("remote", "set-url", "origin", Installation.remote)
  }

  // MARK: - Checkouts

  @Test func `checkout that is not there yet is fine`() throws {
    try examine().expect("ok", "checkout", "live: is not there yet, and will be made")
    try FileManager.default.createDirectory(
      atPath: live.path, withIntermediateDirectories: false)
    try examine().expect("ok", "checkout", "is empty, and will be filled")
    try folder.edit("web1.yaml", "path: live", "path: shop/a/live")
    try examine().expect("problem", "checkout", "cannot be made", advice: "install -d")
  }

  @Test func `directory that is no checkout is a problem`() throws {
    try FileManager.default.createDirectory(
      atPath: live.path + "/files", withIntermediateDirectories: true)
    try examine().expect("problem", "checkout", "is no git repository", advice: "'path:'")
    try FileManager.default.removeItem(atPath: live.path)
    _ = try PipelineRepository(making: live.path, in: folder, options: ["--bare"])
    try examine().expect("problem", "checkout", "is a bare repository", advice: "working copy")
  }

  @Test func `other origin or branch is a problem`() throws {
    try makeCheckout()
    try live.git("remote", "set-url", "origin", "elsewhere")
    try examine().expect("problem", "checkout", "its origin is not", advice: "remote set-url")
    try live.git("remote", "remove", "origin")
    try examine().expect("problem", "checkout", "its origin is not", advice: "remote set-url")
    try live.git("remote", "add", "origin", Installation.remote)
    try live.git("checkout", "-q", "-b", "other")
    try examine().expect("problem", "checkout", "is on refs/heads/other", advice: "switch main")
    try live.git("checkout", "-q", "--detach")
    try examine().expect("problem", "checkout", "is on no branch", advice: "switch main")
  }

  @Test func `what was changed by hand is a warning`() throws {
    try makeCheckout()
    try live.write("a", "mine\n")
    try live.write("new", "untracked\n")
    let refusing = try examine()
    refusing.expect("warning", "checkout", "1 file was changed by hand: a", advice: "refused")
    #expect(refusing.problems == [])
    try live.git("add", "a")
    try folder.edit("web1.yaml", "symbolic-links: any", "on-local-changes: overwrite")
    try examine().expect("warning", "checkout", "1 file was changed by hand: a", advice: "lost")
    try live.git("reset", "-q", "--hard")
    try examine().expect("ok", "checkout", "nothing changed by hand")
  }

  /// Nobody but git puts objects together, and nobody but us writes here.
  @Test(arguments: [false, true]) func `objects that nobody collects are a warning`(isPacks: Bool)
    throws
  {
    try makeCheckout()
    let directory = live.path + (isPacks ? "/.git/objects/pack" : "/.git/objects/17")
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    for number in 0...(isPacks ? 50 : 27) {
      let name = String(format: "%038x", number)
      try Data().write(
        to: URL(fileURLWithPath: directory + (isPacks ? "/pack-00\(name).pack" : "/\(name)")))
    }
    try examine().expect(
      "warning", "checkout", isPacks ? "has 51 packs" : "loose objects", advice: " gc,")
  }

  @Test func `locks that were left are warnings`() throws {
    try makeCheckout()
    let lock = live.path + "/.git/index.lock"
    try Data().write(to: URL(fileURLWithPath: lock))
    try examine().expect("warning", "checkout", "index.lock: is a lock", advice: "remove the file")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: lock)
    try examine().expect("warning", "checkout", "index.lock: is a lock", advice: "remove the file")
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func `checkout of another user is a problem`() throws {
    try makeCheckout()
    for path in [live.path, live.path + "/.git"] {
      try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: path)
    }
    try examine().expect("problem", "checkout", "another user", advice: "safe.directory")
  }

  // MARK: - Repositories

  @Test func `repository that cannot be sent is found`() throws {
    try folder.edit("signer.yaml", "branches: [main]", "branches: [main, release]")
    let missing = try examine("signer.yaml")
    missing.expect("warning", "repository", "has no branch release yet", advice: "'branches:'")
    let origin = try PipelineRepository(making: folder.path("origin"), in: folder)
    for number in 1...3 { try origin.commit(["a": "\(number)\n"]) }
    try FileManager.default.removeItem(atPath: installation.source.path)
    try examine("signer.yaml").expect("problem", "repository", "is not there")
    try origin.git(
      "clone", "-q", "--depth", "1", "file://" + origin.path, installation.source.path)
    try examine("signer.yaml").expect(
      "problem", "repository", "is a shallow clone", advice: "git fetch --unshallow")
  }

  /// As a service meets it whose user may not look into a repository of git's user.
  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func `repository that may not be read is named as such`() throws {
    let (shop, program) = (installation.source.path, folder.path("distro"))
    try FileManager.default.copyItem(atPath: Installation.executable, toPath: program)
    let owned = PipelineProgram("/bin/chown", in: folder)
    #expect(try owned.run(["-R", "65534:65534", folder.path]).status == 0)
    #expect(try owned.run(["0:0", shop]).status == 0)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: shop)
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program]
    let result = try PipelineProgram("/usr/bin/setpriv", in: folder).run(
      nobody + ["doctor", "--config", "signer.yaml"])
    #expect(
      result.sentence.contains("shop: open failed: Permission denied"),
      "\(result.status) \(result.text) \(result.errors)")
  }

  /// As after a `git` that root ran in it.
  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func `a checkout of which a part may not be written is named`() throws {
    let program = folder.path("distro")
    try FileManager.default.copyItem(atPath: Installation.executable, toPath: program)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    let owned = PipelineProgram("/bin/chown", in: folder)
    #expect(try owned.run(["-R", "65534:65534", folder.path]).status == 0)
    let pack = installation.checkout.path + "/.git/objects/pack"
    #expect(try owned.run(["0:0", pack]).status == 0)
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program]
    let result = try PipelineProgram("/usr/bin/setpriv", in: folder).run(
      nobody + ["doctor", "--config", "web1.yaml"])
    #expect(
      result.status == 1 && result.sentence.contains("pack: cannot be written to"),
      "\(result.text) \(result.errors)")
  }

  // MARK: - Carriers

  @Test func `carrier that does not let us in is a problem`() throws {
    let daemon = try installation.startDaemon()
    try installation.succeed("keygen", "other")
    try folder.edit("signer.yaml", "keys/signer.key", "keys/other.key")
    try examine("signer.yaml").expect(
      "problem", "carrier", "our identity is not on its list", advice: "trusted identities")
    #expect(daemon.end().status == 0)
  }

  @Test func `carrier with another key is a problem`() throws {
    let daemon = try installation.startDaemon()
    try installation.succeed("keygen", "other")
    try folder.edit("signer.yaml", "keys/web1.pub", "keys/other.pub")
    try examine("signer.yaml").expect(
      "problem", "carrier", "its key is not the expected one", advice: "compare 'server:'")
    // The same seen from the other side: we would listen where another one does.
    try folder.edit("web1.yaml", "keys/web1.key", "keys/other.key")
    try examine().expect(
      "problem", "carrier", "or one with another key, listens there", advice: "ss -ltnp")
    #expect(daemon.end().status == 0)
  }

  @Test func `carrier that never answers is a problem`() throws {
    // A port that takes connections and says nothing.
    let mute = try RawListener()
    try installation.writeSigner(connect: "tcp://127.0.0.1:\(mute.port)")
    let result = try examine("signer.yaml")
    result.expect("problem", "carrier", "or it does not speak", advice: "compare 'server:'")
  }

  @Test func `name that does not resolve is a problem`() throws {
    try installation.writeSigner(connect: "tcp://nowhere.invalid:5557")
    let found = try examine("signer.yaml").findings.filter { $0.area == "carrier" }
    #expect(found.count == 1 && found.first?.severity == "problem", "\(found)")
  }

  @Test func `daemon that does not run is a warning`() throws {
    let daemon = try installation.startDaemon()
    #expect(daemon.end().status == 0)
    try examine().expect("warning", "carrier", "our daemon does not run", advice: "start it")
  }
}
