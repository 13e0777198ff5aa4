import Foundation
import Git
import GitModel
import MessageFormat
import WorkingTree

/// A checkout that we hold the lock of; opened for one batch, so that it is never another one than the path names.
final class Checkout {
  static let stagingName = "distro-staging"
  /// Locks of git's that are older were left by a killed process; ours is the only one that may be at work for longer.
  static let lockAgeMax: Duration = .seconds(600)
  /// The same where a step of ours was killed, which is known to have taken such locks for a moment each.
  static let ownLockAgeMax: Duration = .seconds(2)

  let settings: CheckoutSettings
  let repository: Repository
  let files: WorkingTree
  let index: IndexUpdater
  /// `nil`: the branch has no commit yet.
  let head: Snapshot?
  /// What was there before it was made, if it was: that is how it is left if nothing is applied.
  private let filled: EmptyCheckout?
  private var claim: Claim?

  /// The lock, in a box that can be let go of.
  private final class Claim {
    let lock: CheckoutLock

    init(gitDirectory: String) throws(GitError) {
      lock = try CheckoutLock(gitDirectory: gitDirectory)
    }
  }

  private init(
    _ settings: CheckoutSettings, _ repository: Repository, indexes: IndexCache,
    filled: EmptyCheckout? = nil, lockAge: Duration = lockAgeMax
  ) throws {
    self.settings = settings
    self.filled = filled
    self.repository = repository
    let claim = try Claim(gitDirectory: repository.gitDirectory)
    self.claim = claim
    // What a killed run left of ours, and locks of git's that are too old to be anyone's.
    try EmptyCheckout.removeLeftover(in: settings)
    try repository.removeLeftovers(
      branch: settings.stream.branch.fullName, olderThan: lockAge, claim.lock)
    if filled != nil { indexes.forget(repository) }
    files = try WorkingTree(opening: settings.path)
    index = try indexes.index(of: repository)
    head = try repository.headCommit().map {
      Snapshot(revision: $0, tree: try repository.objects.commit($0).tree)
    }
  }

  var stagingDirectory: String { repository.gitDirectory + Self.stagingName }

  /// Throws `Refused` where the checkout is not what the configuration and the message need it to be.
  ///
  /// Where nothing is at the path yet, it is made if `canCreate`; `nil`: nothing is there, and it was not made.
  static func open(
    _ settings: CheckoutSettings, canCreate: Bool, indexes: IndexCache
  ) throws -> Checkout? {
    let vacancy = try EmptyCheckout(of: settings)
    if vacancy != nil, !canCreate { return nil }
    try vacancy?.fill()
    let repository: Repository
    do throws(GitError) {
      repository = try Repository(opening: settings.path)
    } catch {
      if error.isAboutRepository { throw Refused(.checkoutUnusable, "\(error)") }
      throw error
    }
    guard !repository.isBare else {
      throw Refused(.checkoutUnusable, "\(settings.path) is a bare repository")
    }
    try requireIdentity(of: repository, settings)
    return try Checkout(settings, repository, indexes: indexes, filled: vacancy)
  }

  /// The same without a look at its remote and branch, which may have been changed since a run was killed.
  ///
  /// `afterKill`: locks of git's are most likely ours.
  static func reopen(
    _ settings: CheckoutSettings, afterKill: Bool, indexes: IndexCache
  ) throws -> Checkout {
    try Checkout(
      settings, try Repository(opening: settings.path), indexes: indexes,
      lockAge: afterKill ? ownLockAgeMax : lockAgeMax)
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

  /// The same for a heartbeat. Throws `Refused` where the checkout is not the one that the configuration means.
  static func snapshot(of settings: CheckoutSettings) throws -> Snapshot? {
    let repository: Repository
    do throws(GitError) {
      repository = try Repository(opening: settings.path)
    } catch {
      guard try EmptyCheckout(of: settings) == nil else { return nil }
      throw Refused(.checkoutUnusable, "\(error)")
    }
    try requireIdentity(of: repository, settings)
    return try repository.headCommit().map {
      Snapshot(revision: $0, tree: try repository.objects.commit($0).tree)
    }
  }

  /// What a checkout is at, for a receipt; `nil` where there is none that can be read.
  static func revision(of settings: CheckoutSettings) throws -> ObjectID? {
    do throws(GitError) {
      return try Repository(opening: settings.path).headCommit()
    } catch {
      return nil
    }
  }

  /// For opening it anew; nothing more can be done with this one.
  func release() { claim = nil }

  /// Removes what `open` made, after a refusal.
  func discardIfMade() throws { try filled?.empty() }
}

/// Indexes that stay in memory from batch to batch: reading one costs time in proportion to the checkout.
final class IndexCache {
  private var indexes: [String: IndexUpdater] = [:]

  /// The repository is another one than the last at its path.
  func forget(_ repository: Repository) { indexes[repository.gitDirectory] = nil }

  func index(of repository: Repository) throws(GitError) -> IndexUpdater {
    if let index = indexes[repository.gitDirectory] {
      try index.refresh()
      return index
    }
    let index = try IndexUpdater(gitDirectory: repository.gitDirectory)
    indexes[repository.gitDirectory] = index
    return index
  }
}

extension GitError {
  /// What the repository is, rather than what the machine could not do.
  fileprivate var isAboutRepository: Bool {
    switch self {
    case .notRepository, .ownedByAnotherUser, .objectFormatUnsupported, .extensionUnsupported,
      .indexUnreadable:
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
