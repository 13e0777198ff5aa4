import Foundation
import Git

/// A place for a checkout where nothing is: no directory, or an empty one; yet to be made, or not mounted yet.
package struct EmptyCheckout {
  /// Where the repository is made: what a killed run left of it is not taken for a checkout.
  private static let buildName = ".distro-new"

  private let settings: CheckoutSettings
  private let hasDirectory: Bool

  /// `nil`: something is there.
  package init?(of settings: CheckoutSettings) throws {
    let files = FileManager.default
    hasDirectory = files.fileExists(atPath: settings.path)
    self.settings = settings
    guard hasDirectory else { return }
    let names = try files.contentsOfDirectory(atPath: settings.path)
    guard names.allSatisfy({ $0 == Self.buildName }) else { return nil }
  }

  /// Makes a repository that is on the branch and has the remote: on the disk and whole, or not at all.
  func fill() throws {
    let build = Self.build(in: settings)
    try Self.remove(build)
    let repository = try Repository.create(at: build, branch: settings.stream.branch.fullName)
    try repository.setRemote("origin", url: settings.stream.remote.text)
    try repository.synchronizeSettings()
    try FileManager.default.moveItem(atPath: build + "/.git", toPath: settings.path + "/.git")
    try Self.removeLeftover(in: settings)
  }

  /// Leaves the place as it was found.
  func empty() throws {
    try Self.remove(hasDirectory ? settings.path + "/.git" : settings.path)
  }

  /// What a run that was killed in `fill` has left beside the whole repository.
  static func removeLeftover(in settings: CheckoutSettings) throws {
    let build = build(in: settings)
    guard FileManager.default.fileExists(atPath: build),
      try FileManager.default.contentsOfDirectory(atPath: build).isEmpty
    else { return }
    try remove(build)
  }

  private static func build(in settings: CheckoutSettings) -> String {
    settings.path + "/" + buildName
  }

  private static func remove(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    try FileManager.default.removeItem(atPath: path)
  }
}
