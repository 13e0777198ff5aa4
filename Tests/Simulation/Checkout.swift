import Applier
import Foundation
import GitModel
import Glibc
import MessageFormat
import TestSupport

/// A working copy on a private machine, and what is known of it from outside: what people did there, and what it must
/// therefore still hold.
final class Checkout {
  let name: String
  let settings: CheckoutSettings
  let git: GitProgram
  /// What people have changed and not committed; `nil`: deleted.
  var edits: [String: Entry?] = [:]
  /// Commits that people made here.
  var own: Set<ObjectID> = []
  /// How far along its stream messages have brought it, since people last moved it.
  var reached: Int?
  /// Every revision that it was ever at.
  var visited: Set<ObjectID> = []
  /// People have put it on a branch of their own.
  var isAway = false
  /// Its index or its objects are, and no message has come since that mends it.
  var isDamaged = false
  /// Objects of older revisions may be missing for ever.
  private(set) var hasLostObjects = false
  /// A step of its applier's has begun and was not at its end when it was last looked at.
  var isUnderWay = false
  /// As it was after its applier's last step; `nil`: people have been at it since.
  var lastSight: Sight?
  private var known = KnownFiles()

  init(_ name: String, _ settings: CheckoutSettings, outputPath: String) {
    (self.name, self.settings) = (name, settings)
    git = GitProgram(directory: settings.path, outputPath: outputPath)
  }

  var path: String { settings.path }
  var branch: BranchName { settings.stream.branch }
  var isThere: Bool { access(path + "/.git/HEAD", F_OK) == 0 }

  /// People have left something here that may keep its applier from its work.
  var hasTraces: Bool { isAway || !edits.isEmpty || head.map { own.contains($0) } ?? false }

  /// What can be seen of it at a moment.
  struct Sight: Equatable {
    /// Of the configured branch.
    var head: ObjectID?
    var symbolic: String?
    /// `nil`: there is no directory.
    var files: Files?
  }

  func look() throws -> Sight {
    Sight(
      head: head, symbolic: text(of: ".git/HEAD"),
      files: Files(of: path, known: &known))
  }

  /// What the configured branch is at.
  var head: ObjectID? {
    guard let text = text(of: ".git/\(branch.fullName)") else { return nil }
    return ObjectID(hex: text)
  }

  private func text(of name: String) -> String? {
    let content = bytes(of: path + "/" + name)
    guard !content.isEmpty else { return nil }
    let text = String(decoding: content, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// What an edit leaves on the disk is what `files` says with the edits.
  func expected(over files: Files) -> Files {
    var result = files
    for (path, entry) in edits { result[path] = entry }
    return result
  }
}

// MARK: - What people do

extension Checkout {
  /// `nil`: deletes it.
  func edit(_ name: String, _ entry: Entry?) throws {
    let file = path + "/" + name
    unlink(file)
    if let entry {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: file).deletingLastPathComponent(),
        withIntermediateDirectories: true)
      if entry.mode == .link {
        symlink(String(decoding: entry.content, as: UTF8.self), file)
      } else {
        try Data(entry.content).write(to: URL(fileURLWithPath: file))
        chmod(file, entry.mode == .executable ? 0o755 : 0o644)
      }
    }
    edits[name] = .some(entry)
  }

  /// What is not under version control goes, and with it the edit that it was.
  func removeUntracked(_ name: String) {
    unlink(path + "/" + name)
    edits.removeValue(forKey: name)
  }

  /// Everything that was edited. Answers the new commit.
  func commit() throws -> ObjectID? {
    try git.run("add", "-A")
    try git.run("commit", "-q", "--allow-empty", "-m", "by hand")
    guard let head else { return nil }
    own.insert(head)
    visited.insert(head)
    edits = [:]
    return head
  }

  func reset(to revision: ObjectID) throws {
    try git.run("reset", "-q", "--hard", revision.hex)
    try git.run("clean", "-q", "-ffdx", "-e", ".distro-*")
    edits = [:]
  }

  /// As if nobody had been here: the files of the last revision, and no commit but the signer's.
  func undo(lastSigned: ObjectID?) throws {
    guard isThere else { return }
    if isAway {
      try git.run("reset", "-q", "--hard")
      try git.run("checkout", "-q", "-f", branch.shortName)
      isAway = false
    }
    if let head, own.contains(head), let lastSigned {
      try git.run("branch", "-f", "mine")
      try reset(to: lastSigned)
    } else if head != nil {
      try git.run("reset", "-q", "--hard")
      try git.run("clean", "-q", "-ffdx")
    }
    edits = [:]
  }

  func switchAway() throws {
    try git.run("checkout", "-q", "-B", "elsewhere")
    isAway = true
  }

  func switchBack() throws {
    try git.run("checkout", "-q", branch.shortName)
    isAway = false
  }

  func remove() throws {
    guard access(path, F_OK) == 0 else { return }
    try FileManager.default.removeItem(atPath: path)
    (edits, own, reached, isAway) = ([:], [], nil, false)
    (isDamaged, hasLostObjects) = (false, false)
  }

  /// One file of objects. Answers its name.
  func loseObjects(using random: inout SeededGenerator) throws -> String? {
    guard let name = try objectFiles().randomElement(using: &random) else { return nil }
    try FileManager.default.removeItem(atPath: "\(path)/.git/objects/\(name)")
    hasLostObjects = true
    return name
  }

  /// Packs and single objects, by name.
  func objectFiles() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: path + "/.git/objects").sorted()
      .filter { $0.hasSuffix(".pack") || $0.count == 41 }
  }
}
