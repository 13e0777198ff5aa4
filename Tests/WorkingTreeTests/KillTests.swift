import GitModel
import Glibc
import Testing
import WorkingTree

/// A process goes from one version to the other and back until a timer's signal ends it, as
/// SIGKILL would.
@Suite struct KillTests {
  @Test(arguments: 0..<24) func `completes what a killed process began`(round: Int) async throws {
    let sandbox = try Sandbox()
    try TwoVersions.first.makeTree(in: sandbox)
    let first = try sandbox.snapshot()
    try sandbox.commit(TwoVersions.second.change)
    let second = try sandbox.snapshot()
    let outside = try sandbox.outsideSnapshot()

    let directory = sandbox.directory.description
    let microseconds = 2_000 + round * 397
    await #expect(processExitsWith: .signal(SIGALRM)) {
      [directory = directory as String, microseconds = microseconds as Int] in
      try KillTests.runUntilKilled(directory, after: microseconds)
    }

    let journal = try Disk.read(sandbox.directory + "/journal")
    let version = try #require(TwoVersions(rawValue: String(decoding: journal, as: UTF8.self)))
    let (before, after) = version == .first ? (second, first) : (first, second)
    if try sandbox.openStaging().interrupted != nil {
      try sandbox.open().putBack(from: sandbox.openStaging()) { _, _ in false }
      #expect(try sandbox.snapshot() == before)
    }
    try sandbox.commit(version.change)
    #expect(try sandbox.snapshot() == after)
    #expect(try sandbox.outsideSnapshot() == outside)
    #expect(try Disk.names(in: sandbox.staging).isEmpty)
  }

  private static func runUntilKilled(_ directory: String, after microseconds: Int) throws {
    let tree = try WorkingTree(opening: directory + "/tree")
    let journal = Bytes(Array((directory + "/journal").utf8))
    var version = TwoVersions.first
    var timer = itimerval()
    timer.it_value.tv_usec = microseconds
    var isTimerSet = false
    while true {
      let staging = try Staging(directory: directory + "/staging")
      let change = try version.change.staged(in: staging, for: tree)
      try staging.sync()
      try Disk.write(journal + ".new", Bytes(Array(version.rawValue.utf8)))
      try Disk.rename(journal + ".new", to: journal)
      if !isTimerSet {
        let isSet = unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil) == 0
        try #require(isSet)
        isTimerSet = true
      }
      try tree.commit(change, from: staging)
      version = version.other
    }
  }
}
