import Diagnostics
import Foundation
import Git
import GitModel
import LargeFiles
import MessageFormat
import WorkingTree

/// A checkout that we hold the lock of; opened for one batch, so that it is never another one than the path names.
final class Checkout {
  let settings: CheckoutSettings
  /// Where the path leads: links are followed once, here, and nowhere below.
  let path: String
  let repository: Repository
  let files: WorkingTree
  let index: IndexUpdater
  let staging: Staging
  /// The contents of its large files.
  let largeFiles: LargeFileStore
  /// `nil`: the branch has no commit yet, or one that cannot be read.
  let head: Snapshot?
  /// What the branch names, read or not.
  let branchTarget: ObjectID?
  /// Why it needs everything anew; `nil`: it does not.
  let damage: GitError?
  /// Packs of a step that a killed run had begun, until it is decided what becomes of them.
  private(set) var leftoverPacks: [KeptPack]
  /// git's lock on the index was ours all along: no program of git's can have built on the leftover packs.
  private let wasLocked: Bool
  /// What was there before it was made, if it was: that is how it is left if nothing is applied.
  private let filled: MadeCheckout?
  private var claim: Claim?

  /// The lock, in a box that can be let go of.
  private final class Claim {
    let lock: CheckoutLock

    init(gitDirectory: String) throws(GitError) {
      lock = try CheckoutLock(gitDirectory: gitDirectory)
    }
  }

  private init(
    _ settings: CheckoutSettings, _ path: String, _ repository: Repository, indexes: IndexCache,
    filled: MadeCheckout? = nil, isDeep: Bool = false
  ) throws {
    self.settings = settings
    self.path = path
    self.filled = filled
    self.repository = repository
    let claim = try Claim(gitDirectory: repository.gitDirectory)
    self.claim = claim
    // What a killed run left of ours.
    try EmptyCheckout.removeLeftover(in: settings)
    files = try WorkingTree(opening: path)
    staging = try Staging(for: files, gitDirectory: repository.gitDirectory)
    largeFiles = try repository.largeFiles
    wasLocked = try claim.lock.isOurs(repository.gitDirectory + "index.lock")
    leftoverPacks = try KeptPack.leftovers(in: repository)
    let branch = settings.stream.branch.fullName
    if let note = staging.interrupted {
      let interrupted = InterruptedStep(
        note: StepNote(note), branch: branch, path: path, repository: repository, staging: staging)
      let indexLock = try claim.lock.take(
        repository.gitDirectory + "index", patience: WorkingCopy.lockPatience)
      let isMoved = try interrupted.resolve(in: files) { target in
        try claim.lock.take(target, patience: WorkingCopy.lockPatience)
      }
      if isMoved { leftoverPacks = [] }
      withExtendedLifetime(indexLock) {}
    }
    try repository.removeLeftovers(branch: branch, claim.lock)
    try SubmoduleDirectory.removeLeftovers(below: repository.commonDirectory, claim.lock)
    try IncomingLargeFiles.removeLeftovers(of: largeFiles)
    if filled != nil { indexes.forget(repository) }
    let state = CheckoutState(of: repository, isDeep: isDeep)
    (branchTarget, head, damage) = (state.branch, state.head, state.damage)
    index = try indexes.index(of: repository, at: state)
  }

  /// git's lock on the index.
  func takeIndexLock() throws -> GitLock {
    try openClaim.lock.take(
      repository.gitDirectory + "index", patience: WorkingCopy.lockPatience)
  }

  /// git's lock on another file: of a submodule's, for example.
  func lock(_ path: String) throws -> GitLock {
    try openClaim.lock.take(path, patience: WorkingCopy.lockPatience)
  }

  /// git's locks on HEAD and the branch.
  func lockBranch() throws -> BranchLock {
    try BranchLock(
      settings.stream.branch.fullName, of: repository, openClaim.lock,
      patience: WorkingCopy.lockPatience)
  }

  func setShallowBoundary(_ boundary: Set<ObjectID>) throws {
    try repository.setShallowBoundary(
      boundary, openClaim.lock, patience: WorkingCopy.lockPatience)
  }

  /// A commit whose parents did not travel is where git's view of the history ends.
  func recordShallowBoundary(_ patches: [CheckedPatch]) throws {
    let known = try repository.shallowBoundary()
    let boundary = patches.reduce(known) { $0.subtracting($1.completed).union($1.boundary) }
    if boundary != known { try setShallowBoundary(boundary) }
  }

  private var openClaim: Claim {
    guard let claim else { preconditionFailure("a checkout that was released is not used") }
    return claim
  }

  /// The step that they belong to is not made after all.
  func discardLeftoverPacks() throws {
    for pack in leftoverPacks { if wasLocked { try pack.remove() } else { try pack.release() } }
    leftoverPacks = []
  }

  /// A branch leads to their objects.
  func releaseLeftoverPacks() throws {
    for pack in leftoverPacks { try pack.release() }
    leftoverPacks = []
  }

  /// Throws `Refused` where the checkout is not what the configuration and the message need it to be.
  ///
  /// Where nothing is at the path yet, it is made if `canCreate`; `nil`: everything is needed, and the message
  /// does not bring it.
  static func open(
    _ settings: CheckoutSettings, canCreate: Bool, indexes: IndexCache
  ) throws -> Checkout? {
    _ = try LinkedPath(settings.path)
    let vacancy = try EmptyCheckout(of: settings)
    if vacancy != nil, !canCreate { return nil }
    if vacancy == nil { try requirePlaceOfReleases(settings) }
    let filled = try vacancy?.fill()
    do {
      let (path, repository) = try place(of: settings)
      guard repository.isBare == (settings.layout.releases != nil) else {
        throw Refused(
          .checkoutUnusable,
          "\(settings.repositoryPath) is \(repository.isBare ? "a" : "no") bare repository")
      }
      try requireIdentity(of: repository, settings)
      // A full pack was asked for, perhaps because an object could not be read.
      let checkout = try Checkout(
        settings, path, repository, indexes: indexes, filled: filled,
        isDeep: canCreate && filled == nil)
      // The recovery, which could have gone on with them, comes first.
      try checkout.discardLeftoverPacks()
      return checkout.damage == nil || canCreate ? checkout : nil
    } catch let error as GitError where error.isAboutRepository {
      let words = ["\(error)", error.hint].compactMap { $0 }
      throw Refused(.checkoutUnusable, words.joined(separator: "; "))
    }
  }

  /// What lies there otherwise is somebody's.
  private static func requirePlaceOfReleases(_ settings: CheckoutSettings) throws {
    guard settings.layout.releases != nil,
      !FileManager.default.fileExists(atPath: settings.repositoryPath)
    else { return }
    throw Refused(
      .checkoutUnusable,
      "\(settings.path) is not empty and holds no releases; move it away, or set 'layout: in-place'"
    )
  }

  private static func place(
    of settings: CheckoutSettings
  ) throws -> (path: String, repository: Repository) {
    let path = try LinkedPath(settings.path).target
    let name = settings.repositoryPath.dropFirst(settings.path.count)
    return (path, try Repository(opening: path + name))
  }

  /// The directory of one revision, which is not in use yet; its repository is a linked worktree of the checkout's.
  static func ofRelease(_ settings: CheckoutSettings, at path: String) throws -> Checkout {
    try Checkout(settings, path, try Repository(opening: path), indexes: IndexCache())
  }

  /// The same without a look at its remote and branch, which may have been changed since a run was killed.
  static func reopen(_ settings: CheckoutSettings, indexes: IndexCache) throws -> Checkout {
    let (path, repository) = try place(of: settings)
    return try Checkout(settings, path, repository, indexes: indexes)
  }

  private static func requireIdentity(
    of repository: Repository, _ settings: CheckoutSettings
  ) throws {
    let origin = try repository.remoteURL("origin")
    // Bytes: to Swift's text, an accent and the letter before it are one character.
    guard let origin, origin.utf8.elementsEqual(settings.stream.remote.text.utf8) else {
      throw Refused(
        .remoteMismatch,
        "the origin of \(settings.path) is \(origin.map(withoutUserInfo) ?? "not set"), not the message's"
      )
    }
    let branch = try repository.headSymbolicTarget()
    guard branch == settings.stream.branch.fullName else {
      throw Refused(
        .branchMismatch,
        "\(settings.path) is on \(branch ?? "no branch"), not on \(settings.stream.branch.fullName)"
      )
    }
  }

  /// The same for a heartbeat; `nil`: there is nothing, or nothing that can be read, and everything is needed.
  /// Throws `Refused` where the checkout is not the one that the configuration means.
  static func snapshot(of settings: CheckoutSettings) throws -> Snapshot? {
    let repository: Repository
    do throws(GitError) {
      repository = try Repository(opening: settings.repositoryPath)
    } catch {
      guard try EmptyCheckout(of: settings) == nil else { return nil }
      throw Refused(.checkoutUnusable, "\(error)")
    }
    try requireIdentity(of: repository, settings)
    return CheckoutState(of: repository).head
  }

  /// What a checkout is at, for a receipt; `nil` where there is none that can be read.
  static func revision(of settings: CheckoutSettings) throws -> ObjectID? {
    do throws(GitError) {
      return try Repository(opening: settings.repositoryPath).headCommit()
    } catch {
      return nil
    }
  }

  /// It was made for this batch, and is removed again if nothing is applied.
  var isMade: Bool { filled != nil }

  /// Of a revision of a checkout; `nil` where it cannot be read.
  static func tree(of revision: ObjectID, _ settings: CheckoutSettings) -> ObjectID? {
    do throws(GitError) {
      return try Repository(opening: settings.repositoryPath).objects.commit(revision).tree
    } catch {
      return nil
    }
  }

  /// For opening it anew; nothing more can be done with this one.
  func release() { claim = nil }

  /// Removes what `open` made, after a refusal.
  func discardIfMade() throws { try filled?.remove() }
}

extension GitError {
  /// What the repository is, rather than what the machine could not do.
  fileprivate var isAboutRepository: Bool {
    switch self {
    case .notRepository, .ownedByAnotherUser, .objectFormatUnsupported, .extensionUnsupported,
      .indexUnsupported:
      true
    default: false
    }
  }
}

/// A URL without the user and password that it may hold.
private func withoutUserInfo(_ url: String) -> String {
  guard let scheme = url.range(of: "://"),
    let at = url[scheme.upperBound...].firstIndex(of: "@"),
    !url[scheme.upperBound..<at].contains("/")
  else { return url }
  return String(url[..<scheme.upperBound] + url[url.index(after: at)...])
}
