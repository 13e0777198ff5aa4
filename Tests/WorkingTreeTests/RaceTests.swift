import Foundation
import GitModel
import Synchronization
import Testing
import WorkingTree

/// Another program swaps parts of the tree for links to outside while we read and write.
@Suite struct RaceTests {
  /// Calls a step again and again, on a thread of its own, until it is told to stop.
  final class Rival: Sendable {
    private let isStopped = Atomic(false)
    private let stepCount = Atomic(0)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ step: @escaping @Sendable () throws -> Void) {
      Thread.detachNewThread { [self] in
        while !isStopped.load(ordering: .relaxed) {
          do {
            try step()
            stepCount.add(1, ordering: .relaxed)
          } catch {
            // We were faster; the next step finds what there is now.
          }
          // Or it would keep a core from everyone else.
          usleep(50)
        }
        hasEnded.signal()
      }
    }

    /// How many steps went through.
    var count: Int { stepCount.load(ordering: .relaxed) }

    func stop() {
      isStopped.store(true, ordering: .relaxed)
      hasEnded.wait()
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func `writes nothing outside while a directory is swapped for a link`() throws {
    let sandbox = try Sandbox()
    let (directory, away) = (sandbox.at("a/b"), sandbox.directory + "/away")
    try sandbox.write("a/b/file")
    let outside = try sandbox.outsideSnapshot()
    let rival = Rival {
      defer { _ = Result { try Disk.remove(away) } }
      try Disk.rename(directory, to: away)
      try Disk.makeLink(directory, to: "../../outside/directory")
    }
    let change = Change(
      removals: ["a/b/gone", "a/b/file"], writes: ["a/b/new/file": (.regular, "new")])
    var round = 0
    while round < 100 || rival.count < 10 {
      round += 1
      // A refusal is as good as success here: only what lies outside counts.
      do { try sandbox.commit(change) } catch is WorkingTreeError { continue }
    }
    rival.stop()
    #expect(try sandbox.outsideSnapshot() == outside)
  }

  @Test(.timeLimit(.minutes(10))) func `reads nothing outside while a file is swapped for a link`()
    throws
  {
    let sandbox = try Sandbox()
    let (file, spare) = (sandbox.at("file"), sandbox.directory + "/spare")
    try sandbox.write("file", "ours")
    let secret = sandbox.outside + "/secret"
    let rival = Rival {
      try Disk.makeLink(spare, to: secret)
      try Disk.rename(spare, to: file)
      try Disk.write(spare, "ours")
      try Disk.rename(spare, to: file)
    }
    var round = 0
    while round < 1_000 || rival.count < 300 {
      round += 1
      do {
        let content = try sandbox.content("file")
        #expect(content == Array("ours".utf8) || content == secret.bytes)  // a link's own content
      } catch WorkingTreeError.notAFile {
        continue
      }
    }
    rival.stop()
  }

  @Test(.timeLimit(.minutes(10))) func `never leaves a path missing that is replaced`() throws {
    let sandbox = try Sandbox()
    let file = sandbox.at("directory/file")
    try sandbox.write("directory/file", "0")
    let misses = Atomic(0)
    let rival = Rival {
      do { _ = try Disk.status(file) } catch {
        misses.add(1, ordering: .relaxed)
        throw error
      }
    }
    var round = 0
    while round < 100 || rival.count < 1_000 {
      round += 1
      try sandbox.commit(
        Change(
          removals: ["directory/file"], writes: ["directory/file": (.regular, "\(round)")]))
    }
    rival.stop()
    #expect(misses.load(ordering: .relaxed) == 0)
  }
}
