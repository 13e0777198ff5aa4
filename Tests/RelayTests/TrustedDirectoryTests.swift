import Foundation
import Relay
import Sodium
import TestSupport
import Testing

/// Directories of public identities, as people change them.
@Suite struct TrustedDirectoryTests {
  private let folder: TemporaryFolder
  private var signers: TrustedDirectory
  private var appliers: TrustedDirectory

  init() throws {
    folder = try TemporaryFolder()
    for name in ["signers", "appliers"] {
      try FileManager.default.createDirectory(
        atPath: folder.path + "/" + name, withIntermediateDirectories: false)
    }
    signers = TrustedDirectory(folder.path + "/signers")
    appliers = TrustedDirectory(folder.path + "/appliers")
  }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
  }

  private func line(_ name: String) throws -> String {
    try TestIdentity.make(name).public.line + "\n"
  }

  private mutating func names() throws -> (signers: [String], appliers: [String]) {
    _ = try signers.refresh()
    _ = try appliers.refresh()
    let peers = TrustedPeers(signers: signers, appliers: appliers)
    return (peers.signers.map { "\($0.name)" }, peers.appliers.map { "\($0.name)" })
  }

  private var faultCount: Int { TrustedPeers(signers: signers, appliers: appliers).faults.count }

  @Test mutating func identitiesComeAndGoWithTheirFiles() throws {
    #expect(try signers.refresh())
    #expect(try !signers.refresh())
    try write(try line("one"), "signers/one.pub")
    try write("anything", "signers/README")
    try write(try line("hidden"), "signers/.hidden.pub")
    #expect(try names().signers == ["one"])
    try write(try line("two"), "signers/two.pub")
    #expect(try names().signers == ["one", "two"])
    try FileManager.default.removeItem(atPath: signers.path + "/one.pub")
    #expect(try names().signers == ["two"])
    #expect(try !signers.refresh())
    #expect(faultCount == 0)
  }

  /// Written over, as cp(1) does it: the directory itself does not change.
  @Test mutating func fileThatIsWrittenOverIsReadAgain() throws {
    try write(try line("one"), "signers/a.pub")
    #expect(try names().signers == ["one"])
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: signers.path + "/a.pub"))
    try handle.write(contentsOf: Data(try line("two").utf8))
    try handle.close()
    #expect(try names().signers == ["two"])
  }

  @Test mutating func brokenFileTrustsNobodyAndHarmsNoOther() throws {
    try write("distro-public-1 AAAA one\n", "signers/one.pub")
    try write(try line("two"), "signers/two.pub")
    #expect(try names().signers == ["two"])
    #expect(faultCount == 1)
  }

  @Test mutating func revocationWinsWhereverAndWhateverItsName() throws {
    try write(try line("one"), "signers/one.pub")
    try write(try line("one"), "appliers/copy.pub")
    try write(try line("two"), "appliers/two.pub")
    #expect(try names() == (["one"], ["one", "two"]))
    try write(try line("one"), "appliers/old-laptop.revoked")
    #expect(try names() == ([], ["two"]))
    #expect(faultCount == 0)
  }

  @Test mutating func revocationThatCannotBeReadRevokesItsNamesake() throws {
    try write(try line("one"), "signers/one.pub")
    try write("", "signers/one.revoked")
    #expect(try names().signers == [])
    #expect(faultCount == 1)
    try FileManager.default.removeItem(atPath: signers.path + "/one.revoked")
    #expect(try names().signers == ["one"])
    // It leads nowhere.
    try FileManager.default.createSymbolicLink(
      atPath: signers.path + "/one.revoked", withDestinationPath: "nowhere")
    #expect(try names().signers == [])
    #expect(faultCount == 1)
  }

  @Test mutating func directoryThatHasGoneTrustsNobodyUntilItIsBack() throws {
    try write(try line("one"), "signers/one.pub")
    #expect(try names().signers == ["one"])
    try FileManager.default.moveItem(atPath: signers.path, toPath: signers.path + ".away")
    #expect(throws: (any Error).self) { try names() }
    #expect(TrustedPeers(signers: signers, appliers: appliers).signers.isEmpty)
    try FileManager.default.moveItem(atPath: signers.path + ".away", toPath: signers.path)
    #expect(try names().signers == ["one"])
  }

  @Test mutating func routeNeedsOneIdentityOfItsName() throws {
    try write(try line("signer"), "signers/signer.pub")
    try write(try line("web1"), "appliers/web1.pub")
    _ = try names()
    let peers = TrustedPeers(signers: signers, appliers: appliers)
    let route = RelaySettings.Route(signer: "signer", appliers: ["web1", "web2"])
    #expect(peers.unknownNames(in: [route]) == ["web2"])
    #expect(peers.unknownNames(in: [.init(signer: "web1", appliers: [])]) == ["web1"])
  }
}
