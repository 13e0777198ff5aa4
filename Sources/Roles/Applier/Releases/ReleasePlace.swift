import Foundation
import Git
import GitModel
import Host

/// The directories of a checkout with releases, and the link to the one in use.
struct ReleasePlace {
  static let repositoryName = "repository.git"
  static let sharedName = "shared"
  private static let releasesName = "releases"
  private static let linkName = "current"

  /// Of the checkout, links resolved.
  let path: String
  let repository: Repository

  /// `<sequence>-<revision>`
  static func name(of revision: ObjectID, _ sequence: UInt64) -> String {
    "\(sequence)-\(revision.abbreviated)"
  }

  func directory(of name: String) -> String { "\(path)/\(Self.releasesName)/\(name)" }

  /// The release that is in use; `nil`: none is, or people have the link lead elsewhere.
  func current() throws -> String? {
    guard let target = try SymbolicLink.target(of: path + "/" + Self.linkName) else { return nil }
    let parts = target.split(separator: "/")
    guard parts.count == 2, parts[0] == Self.releasesName else { return nil }
    return String(parts[1])
  }

  /// Everything that opens a path through the link from now on sees the release, whole.
  func use(_ name: String) throws {
    try SymbolicLink.replace(
      path + "/" + Self.linkName, with: "\(Self.releasesName)/\(name)")
  }

  /// Newest first.
  func names() throws -> [String] {
    try LinkedWorktree.names(in: repository).filter { Self.sequence(of: $0) != nil }
      .sorted { (Self.sequence(of: $0) ?? 0, $0) > (Self.sequence(of: $1) ?? 0, $1) }
  }

  /// The newest release of a revision.
  func name(of revision: ObjectID) throws -> String? {
    try names().first { try LinkedWorktree.head(of: $0, in: repository) == revision }
  }

  private static func sequence(of name: String) -> UInt64? {
    name.split(separator: "-").first.flatMap { UInt64($0) }
  }

  /// An empty directory for a release.
  func make(_ name: String, at revision: ObjectID) throws {
    try remove(name)
    let directory = directory(of: name)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try LinkedWorktree.link(name, at: directory, to: repository, head: revision)
  }

  /// The release, with what git knows of it.
  func remove(_ name: String) throws {
    for path in [directory(of: name), LinkedWorktree.directory(of: name, in: repository)] {
      do {
        try FileManager.default.removeItem(atPath: path)
      } catch CocoaError.fileNoSuchFile {
        continue
      }
    }
  }

  /// Links to what all releases have in common.
  func linkShared(_ paths: [TreePath], in name: String) throws {
    for path in paths {
      let link = directory(of: name) + "/" + path.text
      let depth = path.components.count + 1
      let up = String(repeating: "../", count: depth)
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: link).deletingLastPathComponent().path,
        withIntermediateDirectories: true)
      try SymbolicLink.replace(link, with: "\(up)\(Self.sharedName)/\(path.text)")
    }
  }

  /// Whether a tracked file of a release is not as it came.
  func isChanged(_ name: String) throws -> Bool {
    try !Repository(opening: directory(of: name)).changedPaths().isEmpty
  }
}
