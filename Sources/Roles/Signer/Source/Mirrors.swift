import Git
import GitModel
package import Host
import LargeFileFetching
import MessageFormat
package import Programs
import Synchronization
import Upstreams

/// The mirrors of one process: one fetch at a time for each upstream, which serves all that asked before it began.
package final class Mirrors: Sendable {
  /// What asks cannot wait for an upstream that is away; what looks by itself comes again.
  private static let attemptCountMax = 3

  private struct Turn {
    var isTaken = false
    /// Of fetches.
    var begunCount = 0
    var endedCount = 0
    var result: Result<Void, UpstreamError> = .success(())
    var waiting: [Bell] = []
  }

  private static let storeRest: Duration = .seconds(600)

  private let storesKeptUp = Mutex<[String: ContinuousClock.Instant]>([:])
  private let directoryTurns = Mutex<[String: Turn]>([:])
  private let stop: ProgramStop?
  private let jitter: Backoff.Jitter
  private let onContact: @Sendable (_ url: String, _ failure: String?) -> Void

  /// `stop`: ends what git does, when the process ends. `onContact`: an upstream was asked, whoever wanted it, or could
  /// not be.
  package init(
    stop: ProgramStop? = nil, jitter: @escaping Backoff.Jitter = Backoff.random,
    onContact: @escaping @Sendable (_ url: String, _ failure: String?) -> Void = { _, _ in }
  ) {
    (self.stop, self.jitter, self.onContact) = (stop, jitter, onContact)
  }

  // MARK: - Fetching

  /// Brings the mirror to where the upstream is when it is asked, or later; only branches that one of the entries has. All
  /// entries of one upstream are to be given.
  func refresh(_ entries: [SignerRepository]) throws(UpstreamError) {
    guard case .upstream(let place)? = entries.first?.source else { return }
    let needed = directoryTurns.withLock { ($0[place.path]?.begunCount ?? 0) + 1 }
    while true {
      let bell = Bell()
      let step = directoryTurns.withLock { turns -> Step in
        var turn = turns[place.path] ?? Turn()
        defer { turns[place.path] = turn }
        if turn.endedCount >= needed { return .done(turn.result) }
        if turn.isTaken {
          turn.waiting.append(bell)
          return .wait
        }
        turn.isTaken = true
        turn.begunCount += 1
        return .take
      }
      switch step {
      case .done(let result): return try result.get()
      case .wait: bell.wait(for: nil)
      case .take:
        let result = Result { () throws(UpstreamError) in try fetch(entries, place) }
        end(place.path) { turn in
          turn.endedCount = turn.begunCount
          turn.result = result
        }
        tell(result, of: place)
        return try result.get()
      }
    }
  }

  private func tell(_ result: Result<Void, UpstreamError>, of place: Mirror.Place) {
    switch result {
    case .success: onContact(place.settings.url.text, nil)
    case .failure(let error) where error.concernsContact:
      onContact(place.settings.url.text, error.message)
    case .failure: break
    }
  }

  private enum Step {
    case take, wait
    case done(Result<Void, UpstreamError>)
  }

  private func end(_ path: String, _ change: (inout Turn) -> Void = { _ in }) {
    let waiting = directoryTurns.withLock { turns -> [Bell] in
      var turn = turns[path] ?? Turn()
      change(&turn)
      turn.isTaken = false
      defer {
        turn.waiting = []
        turns[path] = turn
      }
      return turn.waiting
    }
    for bell in waiting { bell.ring() }
  }

  private func fetch(
    _ entries: [SignerRepository], _ place: Mirror.Place
  ) throws(UpstreamError) {
    var backoff = Backoff(first: .milliseconds(500), longest: .seconds(2), jitter: jitter)
    for _ in 1..<Self.attemptCountMax {
      do throws(UpstreamError) {
        return try fetchOnce(entries, place)
      } catch {
        guard error.isQuicklyOver, stop?.isSet != true else { throw error }
        Bell().wait(for: backoff.next())
      }
    }
    try fetchOnce(entries, place)
  }

  private func fetchOnce(
    _ entries: [SignerRepository], _ place: Mirror.Place
  ) throws(UpstreamError) {
    let mirror = Mirror(place, stop: stop)
    let patterns = Set(entries.flatMap(\.branches.all).map(\.fullText)).sorted()
    let tips = try mirror.tips(patterns).filter { name, _ in
      guard let branch = BranchName(fullName: name) else { return false }
      return entries.contains { $0.branches.contains(branch) }
    }
    try mirror.prepare()
    let local = try mirror.localTips()
    let moved = tips.filter { local[$0.key] != $0.value }.keys.sorted()
    try mirror.fetch(moved, of: Set(tips.keys))
  }

  // MARK: - Upkeep

  /// Nothing is fetched meanwhile; where something is being fetched, nothing is done.
  func upkeep(
    _ place: Mirror.Place, keeping kept: () throws -> Set<ObjectID>
  ) throws -> Mirror.Upkeep {
    let isFree = directoryTurns.withLock { turns in
      var turn = turns[place.path] ?? Turn()
      defer { turns[place.path] = turn }
      guard !turn.isTaken else { return false }
      turn.isTaken = true
      return true
    }
    guard isFree else { return .nothing }
    defer { end(place.path) }
    return try Mirror(place, stop: stop).upkeep(keeping: kept)
  }

  // MARK: - Large files

  func largeFiles(of place: Mirror.Place) -> LargeFileFetch { LargeFileFetch(place, stop: stop) }

  /// Now and then; returns how many bytes went.
  func keepUpLargeFiles(of place: Mirror.Place, at now: Timestamp) throws(LargeFileFetchError)
    -> UInt64
  {
    let isDue = storesKeptUp.withLock { stores in
      if let last = stores[place.path], .now - last < Self.storeRest { return false }
      stores[place.path] = .now
      return true
    }
    guard isDue else { return 0 }
    return try largeFiles(of: place).upkeep(at: Int(now.milliseconds / 1_000))
  }
}

extension UpstreamError {
  /// The upstream is away or turns us away; others are about this machine, or about what it sends.
  fileprivate var concernsContact: Bool {
    switch self {
    case .unreachable, .credentialRejected, .hostKeyUnknown, .hostKeyChanged, .certificateRejected,
      .repositoryMissing, .repositoryOwner, .failed, .program(.deadline):
      true
    default: false
    }
  }

  /// May be over in a second: a branch that moves, or another process.
  fileprivate var isQuicklyOver: Bool {
    switch self {
    case .branchMissing, .mirrorLocked: true
    case .unreachable(_, let detail): !detail.hasPrefix("no end within")
    default: false
    }
  }
}
