import Applier
import Foundation
import Git
import Host
import Programs

/// What an applier needs: checkouts that can be brought forward, and a carrier.
struct ApplierChecks {
  private static let namedPathCountMax = 5
  /// Where git collects by itself, when it is the one that writes: gc.autoPackLimit and gc.auto in git-config(1).
  private static let packCountMax = 50
  private static let looseObjectCountMax = 6_700

  let configuration: ApplierConfiguration

  func run(_ examination: inout Examination) {
    let settings = configuration.settings
    for checkout in settings.checkouts {
      do {
        checkHeartbeats(of: checkout, &examination)
        checkCommands(of: checkout, &examination)
        try check(checkout, &examination)
      } catch {
        examination.fail(.checkout, checkout.path, error)
      }
    }
    for plan in configuration.carriers.plans {
      CarrierKinds.examine(
        plan, as: settings.identity, readers: settings.trustedSigners, &examination)
    }
  }

  private func check(_ settings: CheckoutSettings, _ examination: inout Examination) throws {
    let place = PlaceChecks(area: .checkout, path: settings.path)
    let target = try SymbolicLink.target(of: settings.path)
    if let target, try FileRights.of(settings.path) == nil {
      return examination.fail(
        .checkout, settings.path, "is a symbolic link to \(target), which is not there",
        do: "make that directory, or correct 'path:'")
    }
    guard try FileRights.of(settings.path) != nil else {
      // Made by the first message.
      return place.checkParent(&examination)
    }
    if try EmptyCheckout(of: settings) != nil {
      return examination.ok(.checkout, settings.path, "is empty, and will be filled")
    }
    let repository = try Repository(opening: settings.repositoryPath)
    guard repository.isBare == (settings.layout.releases != nil) else {
      return examination.fail(
        .checkout, settings.repositoryPath, "is \(repository.isBare ? "a" : "no") bare repository",
        do: "'path:' must name a working copy, or with 'layout: releases' the directory of releases"
      )
    }
    let written = ["objects", "objects/pack", "refs", "refs/heads"]
      .map { repository.commonDirectory + $0 }
    for path in [settings.path, repository.gitDirectory] + written {
      // git leaves out what is empty.
      guard let rights = try FileRights.of(path) else { continue }
      guard rights.isWritable else {
        return examination.fail(
          .checkout, path, "cannot be written to",
          do: "as root, give it to the user of the service: chown -R; in its unit: ReadWritePaths=")
      }
    }
    try place.checkRoom(at: settings.path, &examination)
    let found = examination.findings.count
    try checkIdentity(of: repository, settings, &examination)
    try checkLocks(of: repository, settings, &examination)
    if let releases = settings.layout.releases {
      checkShared(releases, at: settings.path, &examination)
    } else {
      let forms = FormChecks(repository: repository, path: settings.path)
      forms.checkPlace(&examination)
      if try forms.checkIndex(&examination) {
        try forms.checkImmutable(&examination)
        try checkChanges(in: repository, settings, &examination)
      }
    }
    try checkStorage(of: repository, settings, &examination)
    guard examination.findings.count == found else { return }
    let head = try repository.headCommit().map { "at \($0.abbreviated)" } ?? "without a commit"
    examination.ok(
      .checkout, settings.path,
      "\(settings.stream.branch.shortName), \(head), nothing changed by hand")
  }

  /// A carrier can keep everything back; missing heartbeats show it.
  private func checkHeartbeats(
    of settings: CheckoutSettings, _ examination: inout Examination
  ) {
    guard settings.staleAfterSeconds == nil,
      configuration.carriers.plans.contains(where: { !$0.isListening })
    else { return }
    examination.warn(
      .checkout, settings.path,
      "expects no heartbeats: a relay that keeps everything back would not be noticed",
      do: "run distro serve for the signer, and take 'stale-after-seconds: never' out")
  }

  /// Links to nothing are no fault of git's, but of the program that opens them.
  private func checkShared(
    _ releases: ReleaseSettings, at path: String, _ examination: inout Examination
  ) {
    for shared in releases.shared.map({ path + "/shared/" + $0.text })
    where !FileManager.default.fileExists(atPath: shared) {
      examination.warn(
        .checkout, shared, "is not there, and each release has a link to it",
        do: "make the file or directory, or take it out of 'shared:'")
    }
  }

  private func checkCommands(
    of settings: CheckoutSettings, _ examination: inout Examination
  ) {
    for program in settings.commands.programs {
      do throws(ProgramError) {
        try program.requireSound()
      } catch {
        examination.fail(.checkout, settings.path, error)
      }
    }
  }

  private func checkIdentity(
    of repository: Repository, _ settings: CheckoutSettings, _ examination: inout Examination
  ) throws {
    let origin = try repository.remoteURL("origin")
    // Bytes, as the pipeline compares them.
    if origin == nil || !(origin ?? "").utf8.elementsEqual(settings.stream.remote.text.utf8) {
      examination.fail(
        .checkout, settings.path, "its origin is not the 'remote:' of the configuration",
        do:
          "git -C \(settings.path) remote set-url origin \(settings.stream.remote.text), or correct 'remote:'"
      )
    }
    let branch = try repository.headSymbolicTarget()
    if branch != settings.stream.branch.fullName {
      examination.fail(
        .checkout, settings.path,
        "is on \(branch ?? "no branch"), not on \(settings.stream.branch.fullName)",
        do: "git -C \(settings.path) switch \(settings.stream.branch.shortName)")
    }
  }

  private func checkLocks(
    of repository: Repository, _ settings: CheckoutSettings, _ examination: inout Examination
  ) throws {
    for lock in try repository.locks(branch: settings.stream.branch.fullName) {
      examination.warn(
        .checkout, lock.path, "is a lock of git's, \(lock.ageSeconds) s old",
        do: "wait for the git command that holds it; if none runs, remove the file")
    }
  }

  private func checkChanges(
    in repository: Repository, _ settings: CheckoutSettings, _ examination: inout Examination
  ) throws {
    let changed = try ChangedFiles.find(
      in: repository, countMax: Self.namedPathCountMax)
    guard changed.count > 0 else { return }
    let files = changed.count == 1 ? "1 file was" : "\(changed.count) files were"
    let more = changed.count > changed.paths.count ? ", …" : ""
    let names = changed.paths.joined(separator: ", ") + more
    let advice =
      switch settings.onLocalChanges {
      case .refuse:
        "undo that or move it away (a commit would be in the way as well): a patch that touches it "
          + "is refused"
      case .overwrite: "nothing, where it may be lost: 'on-local-changes: overwrite' is set"
      }
    examination.warn(
      .checkout, settings.path, "\(files) changed by hand: \(names)", do: advice)
  }

  /// Every message leaves a pack or loose objects, which only git puts together.
  private func checkStorage(
    of repository: Repository, _ settings: CheckoutSettings, _ examination: inout Examination
  ) throws {
    let (packs, looseObjects) = try repository.storageCounts()
    guard packs > Self.packCountMax || looseObjects > Self.looseObjectCountMax else { return }
    examination.warn(
      .checkout, settings.path, "has \(packs) packs and about \(looseObjects) loose objects",
      do: "git -C \(settings.path) gc, as the user of the service; best from a timer")
  }
}
