import Foundation
import TestSupport
import Testing

/// What `distro doctor` says beforehand of a checkout in a form or a place that would stop a step.
struct DoctorFormTests {
  private let installation: Installation
  private var checkout: PipelineRepository { installation.checkout }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n", "b/c": "1\n"])
  }

  private func clone(_ options: String...) throws {
    let program = installation.source.program
    let result = try program.run(
      ["clone", "-q"] + options + [installation.source.path, checkout.path])
    try #require(result.status == 0, "\(result.errors)")
    try checkout.git("remote", "set-url", "origin", Installation.remote)
  }

  private func examine() throws -> Examination { try Examination(installation, "web1.yaml") }

  private func forms(_ examination: Examination) -> [Examination.Finding] {
    examination.findings.filter { $0.area == "checkout" && $0.severity != "ok" }
  }

  @Test func `a link is followed, and one to nothing is a problem`() throws {
    let place = installation.folder.path("place")
    try FileManager.default.createSymbolicLink(
      atPath: checkout.path, withDestinationPath: place)
    try examine().expect(
      "problem", "checkout", "is a symbolic link to \(place), which is not there",
      advice: "make that directory")
    try FileManager.default.removeItem(atPath: checkout.path)
    try clone()
    try FileManager.default.moveItem(atPath: checkout.path, toPath: place)
    try FileManager.default.createSymbolicLink(
      atPath: checkout.path, withDestinationPath: place)
    #expect(try forms(examine()).isEmpty)
  }

  @Test func `a git directory elsewhere is no problem`() throws {
    try clone("--separate-git-dir", installation.folder.path("git"))
    #expect(try forms(examine()).isEmpty)
  }

  @Test func `a form of the index that is not supported is a problem with a remedy`() throws {
    try clone()
    try checkout.git("update-index", "--split-index")
    let examination = try examine()
    examination.expect(
      "problem", "checkout", "is a split index", advice: "update-index --no-split-index")
    try checkout.git("update-index", "--no-split-index")
    #expect(try forms(examine()).isEmpty)
    try checkout.git("sparse-checkout", "set", "--cone", "--sparse-index", "e")
    try examine().expect(
      "problem", "checkout", "is a sparse index", advice: "sparse-checkout disable")
  }

  @Test func `a damaged index is a warning, since the next message mends it`() throws {
    try clone()
    try checkout.write(".git/index", "")
    try examine().expect("warning", "checkout", "index", advice: "makes it anew")
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
  func `a file system below the checkout is a warning`() throws {
    try clone()
    let place = checkout.path + "/b"
    try SmallDisk.mount(on: place, byteCount: 1 << 20, home: installation.folder.path) {
      try examine().expect(
        "warning", "checkout", "is another file system", advice: "unmount it")
    }
    #expect(try forms(examine()).isEmpty)
  }

  @Test func `a file that the system keeps is a problem`() throws {
    try clone()
    let file = checkout.path + "/b/c"
    let home = installation.folder.path
    // Where neither rights nor file system allow it, there is nothing to find.
    guard try Program.status(["chattr", "+i", file], home: home).status == 0 else { return }
    let examination = try examine()
    try Program.run(["chattr", "-i", file], home: home)
    examination.expect(
      "problem", "checkout", "has files that the system keeps from being changed: \(file)",
      advice: "chattr -i")
  }
}
