import Foundation
import Synchronization
import TestSupport

/// Makes commits and pushes them, one after the other, for as long as it is not stopped: small ones, some of hundreds of
/// files, now and then one of many megabytes.
///
/// What only the pushing thread uses is not guarded: after `stop` it is the caller's.
final class Pusher: @unchecked Sendable {
  struct Tally {
    var pushes = 0
    var largePushes = 0
    var failure: String?
  }

  private static let fileCountMax = 900
  /// More messages than this wait for the relay: no more are added.
  private static let backlogMax = 100

  let tally = Mutex(Tally())
  private let world: Paths
  private let largeEvery: Int
  private var history: PipelineHistory
  private var random: SeededGenerator
  private var number = 0
  private let bell = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private let isStopping = Atomic(false)

  private struct Paths {
    let source: Repository
    let author: Repository
    let outbox: State
  }

  init(_ world: World, seed: UInt64, largeEvery: Int) {
    self.world = Paths(
      source: world.source, author: world.author,
      outbox: State(directory: world.path + "/signer/state"))
    self.largeEvery = largeEvery
    history = PipelineHistory(seed: seed, fileCountMax: Self.fileCountMax)
    random = SeededGenerator(seed: seed)
  }

  func start() {
    Thread { [self] in
      while !isStopping.load(ordering: .acquiring) {
        do {
          if backlog < Self.backlogMax { try push() }
        } catch {
          tally.withLock { $0.failure = "\(error)" }
          break
        }
        let pause = Int.random(in: 0..<250, using: &random)
        _ = bell.wait(timeout: .now() + .milliseconds(pause))
      }
      ended.signal()
    }.start()
  }

  /// Returns when the push in hand is done.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    bell.signal()
    ended.wait()
  }

  /// A state on a full disk cannot always be read.
  private var backlog: Int {
    do { return try world.outbox.count("delivery") } catch { return 0 }
  }

  /// Returns when the hook has ended.
  func push() throws {
    let isLarge = number % largeEvery == largeEvery - 1
    let changes =
      switch Int.random(in: 0..<20, using: &random) {
      case 0: 200...600
      case 1...5: 20...120
      default: 1...6
      }
    let stream = history.nextCommit(
      number, changeCount: Int.random(in: changes, using: &random),
      largeByteCount: isLarge ? Int.random(in: 5...40, using: &random) << 20 : 0)
    try world.author.git(["fast-import", "--quiet"], input: stream)
    try world.author.git(["push", "-q", world.source.path, "main"])
    number += 1
    tally.withLock {
      $0.pushes += 1
      $0.largePushes += isLarge ? 1 : 0
    }
  }
}
