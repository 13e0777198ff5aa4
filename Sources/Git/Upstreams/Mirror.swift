import Foundation
import Git
package import GitModel
import Host
package import Programs
import Spool

/// What we have of an upstream: a bare repository below our state, which git fetches into. Its branches have the names
/// that they have there. It can be lost, and is fetched anew.
///
/// One process works on it at a time, and in it one thread: the caller sees to that.
package struct Mirror: Sendable {
  /// Of what, and where: all that has to be known to read it.
  package struct Place: Sendable, Hashable {
    package let settings: UpstreamSettings
    /// Where all mirrors of a signer are.
    package let directory: String

    /// Ends in `.git`.
    package let path: String

    package init(_ settings: UpstreamSettings, below directory: String) {
      (self.settings, self.directory) = (settings, directory)
      path = Self.path(of: settings.url, below: directory)
    }

    /// A name that people know again, and a part of a hash that makes it one upstream's only.
    private static func path(of url: UpstreamURL, below directory: String) -> String {
      let text = url.text
      var hash = ObjectHasher(.blob, byteCount: text.utf8.count)
      hash.update(Array(text.utf8))
      let digest = hash.finish()?.hex.prefix(12) ?? ""
      let last = text.split { $0 == "/" || $0 == ":" }.last ?? "upstream"
      let name = last.hasSuffix(".git") ? last.dropLast(4) : last
      let safe = name.filter {
        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_")
      }
      return "\(directory)/\(safe.prefix(40))-\(digest).git"
    }

    package var isThere: Bool { FileManager.default.fileExists(atPath: path + "/HEAD") }
  }

  package let place: Place
  /// Ends what git does, when this process ends.
  private let stop: ProgramStop?

  package init(_ place: Place, stop: ProgramStop? = nil) {
    (self.place, self.stop) = (place, stop)
  }

  package var path: String { place.path }
  package var settings: UpstreamSettings { place.settings }
  package var isThere: Bool { place.isThere }
  /// A home directory that holds nothing.
  private var home: String { place.directory + "/home" }

  // MARK: - What is there

  /// The tips of the upstream's branches that fit one of these patterns of full names, by full name. Needs no mirror, and
  /// changes nothing. git's patterns let `*` stand for a slash as well: more may come than was asked for.
  package func tips(_ patterns: [String]) throws(UpstreamError) -> [String: ObjectID] {
    try settings.requireSense()
    let list = try program(in: nil).run(
      ["ls-remote", "--heads", "--", settings.url.text] + patterns, for: .question)
    var tips: [String: ObjectID] = [:]
    for line in list.split(separator: "\n") {
      let fields = line.split(separator: "\t", maxSplits: 1)
      guard fields.count == 2, let id = ObjectID(hex: fields[0]) else {
        throw .failed(settings.url, detail: "its objects have ids that are not SHA-1")
      }
      tips[String(fields[1])] = id
    }
    return tips
  }

  /// The tips of the mirror's branches; none where there is no mirror yet.
  package func localTips() throws(UpstreamError) -> [String: ObjectID] {
    guard isThere else { return [:] }
    do throws(GitError) {
      return try Repository(opening: path).branches()
    } catch {
      throw .git(error)
    }
  }

  /// That `git`, and `ssh` where it is needed, are on this machine.
  package static func requirePrograms(for settings: UpstreamSettings) throws(UpstreamError) {
    _ = try GitProgram.find("git")
    if settings.url.transport == .ssh { _ = try GitProgram.find("ssh") }
  }

  // MARK: - What is fetched

  /// Makes the mirror where it is missing, whole or not at all.
  package func prepare() throws(UpstreamError) {
    guard !isThere else { return }
    let new = path + ".new"
    do {
      try FileManager.default.createDirectory(
        atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      if FileManager.default.fileExists(atPath: new) {
        try FileManager.default.removeItem(atPath: new)
      }
      try program(in: nil).run(
        ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", new], for: .question)
      try FileManager.default.moveItem(atPath: new, toPath: path)
    } catch let error as CocoaError {
      throw .mirrorUnusable(mirror: path, detail: error.fault)
    } catch let error as UpstreamError {
      throw error
    } catch {
      throw .mirrorUnusable(mirror: path, detail: "\(error)")
    }
  }

  /// Brings branches of the upstream, by their full names, to where they are there. `upstream`: all names that are known
  /// to be there; any other branch of the mirror is removed where it is in the way of a name.
  ///
  /// A branch that cannot be fetched does not hold up the others: its error is thrown after they were fetched.
  package func fetch(
    _ branches: [String], of upstream: Set<String>
  ) throws(UpstreamError) {
    guard !branches.isEmpty else { return }
    try prepare()
    try working { () throws(UpstreamError) in
      try makeRoom(for: branches, of: upstream)
      do throws(UpstreamError) {
        try fetchOnce(branches)
      } catch {
        guard branches.count > 1, error.concernsOneBranch else { throw error }
        try fetchEach(branches)
      }
    }
  }

  /// Brings all branches to where they are there: for a repository of which a commit is needed, wherever it is.
  package func fetchAll() throws(UpstreamError) {
    try prepare()
    try working { () throws(UpstreamError) in try fetchOnce(["refs/heads/*"]) }
  }

  private func fetchEach(_ branches: [String]) throws(UpstreamError) {
    var failure: UpstreamError?
    for branch in branches {
      do throws(UpstreamError) {
        try fetchOnce([branch])
      } catch {
        guard error.concernsOneBranch else { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private func fetchOnce(_ branches: [String]) throws(UpstreamError) {
    do throws(UpstreamError) {
      try program(in: path).run(
        [
          "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
          "--recurse-submodules=no", "--refmap=", "--stdin", "--", settings.url.text,
        ], for: .transfer, input: branches.map { "+\($0):\($0)\n" }.joined())
    } catch {
      // What a killed git has left would only be in the way.
      try removeLeftovers()
      throw error
    }
  }

  /// A branch that is gone there keeps its name here, unless a new one needs it: `a` and `a/b` are not both possible.
  private func makeRoom(
    for branches: [String], of upstream: Set<String>
  ) throws(UpstreamError) {
    let obstacles = try localTips().keys.filter { name in
      !upstream.contains(name)
        && branches.contains { $0.hasPrefix(name + "/") || name.hasPrefix($0 + "/") }
    }
    guard !obstacles.isEmpty else { return }
    try program(in: path).run(
      ["update-ref", "--stdin"], for: .question,
      input: obstacles.map { "delete \($0)\n" }.joined())
  }

  // MARK: - Git at work

  func program(in directory: String?) -> GitProgram {
    GitProgram(settings: settings, directory: directory, home: home, stop: stop)
  }

  /// Nobody else is at work in the mirror meanwhile.
  func working<Value>(
    _ body: () throws(UpstreamError) -> Value
  ) throws(UpstreamError) -> Value {
    let lock: DirectoryLock
    do throws(SpoolError) {
      lock = try DirectoryLock(path, waits: false)
    } catch {
      if case .inUse = error { throw .mirrorLocked(mirror: path, lock: "it") }
      throw .mirrorUnusable(mirror: path, detail: "\(error)")
    }
    let value = try body()
    _ = consume lock
    return value
  }
}

extension UpstreamError {
  fileprivate var concernsOneBranch: Bool {
    switch self {
    case .contentRejected, .branchMissing, .mirrorLocked, .failed: true
    default: false
    }
  }
}
