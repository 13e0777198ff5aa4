import Foundation
import Git
import WorkingTree

/// A place for a checkout where nothing is: no directory, or an empty one; yet to be made, or not mounted yet.
package struct EmptyCheckout {
  /// Where the repository is made: what a killed run left of it is not taken for a checkout.
  private static let buildName = ".distro-new"

  private let settings: CheckoutSettings

  /// `nil`: something is there.
  package init?(of settings: CheckoutSettings) throws {
    let files = FileManager.default
    self.settings = settings
    guard files.fileExists(atPath: settings.path) else { return }
    let names = try files.contentsOfDirectory(atPath: settings.path)
    // What releases are to share can be there before them.
    let allowed =
      settings.layout.releases == nil
      ? [Self.buildName] : [Self.buildName, ReleasePlace.sharedName]
    guard names.allSatisfy(allowed.contains) else { return nil }
  }

  /// Makes a repository that is on the branch and has the remote: on the disk and whole, or not at all.
  func fill() throws -> MadeCheckout {
    let build = Self.build(in: settings)
    if FileManager.default.fileExists(atPath: build) {
      try FileManager.default.removeItem(atPath: build)
    }
    let directories = try Self.makeDirectories(to: settings.path)
    let isBare = settings.layout.releases != nil
    let repository = try Repository.create(
      at: build, branch: settings.stream.branch.fullName, isBare: isBare)
    try repository.setRemote("origin", url: settings.stream.remote.text)
    try repository.synchronizeSettings()
    let made = isBare ? settings.repositoryPath : settings.path + "/.git"
    try FileManager.default.moveItem(atPath: isBare ? build : build + "/.git", toPath: made)
    try Self.removeLeftover(in: settings)
    return MadeCheckout(gitDirectory: made, directories: directories)
  }

  /// Those that were not there, from the top down; another program may be making the same ones.
  private static func makeDirectories(to path: String) throws -> [String] {
    var missing: [String] = []
    var url = URL(fileURLWithPath: path)
    while !FileManager.default.fileExists(atPath: url.path), url.path != "/" {
      missing.append(url.path)
      url.deleteLastPathComponent()
    }
    var made: [String] = []
    for directory in missing.reversed() {
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: false)
        made.append(directory)
      } catch CocoaError.fileWriteFileExists {
        continue
      }
    }
    return made
  }

  /// What a run that was killed in `fill` has left beside the whole repository.
  static func removeLeftover(in settings: CheckoutSettings) throws {
    WorkingTree.removeIfEmpty(build(in: settings))
  }

  private static func build(in settings: CheckoutSettings) -> String {
    settings.path + "/" + buildName
  }
}

/// The repository that `EmptyCheckout` made, and the directories that it made for it.
struct MadeCheckout {
  let gitDirectory: String
  /// From the top down.
  let directories: [String]

  /// Leaves the place as it was found; what others have put there since stays, and so does a repository in which
  /// anything was done.
  func remove() throws {
    let isNew = try Repository(openingGitDirectory: gitDirectory).headCommit() == nil
    guard isNew, !FileManager.default.fileExists(atPath: gitDirectory + "/index") else { return }
    try FileManager.default.removeItem(atPath: gitDirectory)
    for directory in directories.reversed() where !WorkingTree.removeIfEmpty(directory) { return }
  }
}
