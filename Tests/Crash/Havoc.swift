import Foundation
import TestSupport

/// The bad luck of a run: what is killed, cut and filled, and when it comes back.
final class Havoc {
  private enum Action {
    case start(Daemon)
    case free(Disk)
  }

  /// As long as all the backoffs that a run can have led to.
  private static let quietTimeout: Duration = .seconds(150)
  private static let tick: UInt32 = 1_000

  private(set) var findings: [String] = [] {
    didSet { if let new = findings.last { say("after \(counts.killCount) kills: \(new)") } }
  }
  var counts = Counts()
  private let world: World
  private let options: Crash.Options
  private let pusher: Pusher
  private var random: SeededGenerator
  private var due: [(at: ContinuousClock.Instant, action: Action)] = []
  private var reported = 0
  private var lastFull: ContinuousClock.Instant?

  init(_ world: World, _ options: Crash.Options) {
    self.world = world
    self.options = options
    random = SeededGenerator(seed: options.seed)
    // A short run has a large push as well.
    pusher = Pusher(
      world, seed: options.seed, largeEvery: max(10, min(80, options.count)))
  }

  func run() throws {
    for daemon in world.daemons { try daemon.start() }
    pusher.start()
    while counts.killCount < options.count {
      try pause(milliseconds: Int.random(in: 20..<700, using: &random))
      try strike()
      report()
    }
    pusher.stop()
    try act(until: .now + .seconds(3_600))
    // The last push, and all that follows, is not disturbed; what a killed applier left is old enough to be seen as that.
    try pause(milliseconds: 4_000)
    if pusher.tally.withLock({ $0.failure }) == nil { try pusher.push() }
    counts.pushes = pusher.tally.withLock { $0 }
    if let failure = counts.pushes.failure { findings.append("a push failed: \(failure)") }
    try settle()
  }

  private func report() {
    let count = counts.killCount
    guard count >= reported + 100 else { return }
    reported = count
    say("\(count) kills, \(pusher.tally.withLock { $0.pushes }) pushes, \(findings.count) findings")
  }

  // MARK: - Time

  private func pause(milliseconds: Int) throws {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    repeat {
      usleep(Self.tick)
      try act(until: .now)
    } while ContinuousClock.now < end
  }

  /// Does what was put off until now.
  private func act(until now: ContinuousClock.Instant) throws {
    noteEnds()
    guard due.contains(where: { $0.at <= now }) else { return }
    let actions = due.filter { $0.at <= now }
    due.removeAll { $0.at <= now }
    for (_, action) in actions {
      switch action {
      case .start(let daemon): try daemon.start()
      case .free(let disk):
        try disk.free()
        lastFull = .now
      }
    }
  }

  private func later(_ milliseconds: Range<Int>, _ action: Action) {
    let delay = Int.random(in: milliseconds, using: &random)
    due.append((.now + .milliseconds(delay), action))
  }

  /// Who ends by itself has found its disk full, or is a finding.
  private func noteEnds() {
    for daemon in world.daemons {
      guard let end = daemon.takeUnexpectedEnd() else { continue }
      let isExcused =
        world.disk(of: daemon)?.isFull ?? false
        || lastFull.map { ContinuousClock.now - $0 < .seconds(5) } ?? false
      if isExcused {
        counts.endsOnFullDisk += 1
      } else {
        findings.append("\(daemon.name) ended by itself: \(end)")
      }
      later(100..<500, .start(daemon))
    }
  }

  // MARK: - Blows

  private func strike() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<8: cut()
    case 8..<12 where !world.disks.isEmpty: try fill()
    default: try kill()
    }
  }

  private func cut() {
    if Bool.random(using: &random) {
      counts.cuts += world.lines.randomElement(using: &random)?.cut() ?? 0
    } else {
      for line in world.lines { counts.cuts += line.cut() }
    }
  }

  private func fill() throws {
    guard let disk = world.disks.filter({ !$0.isFull }).randomElement(using: &random) else {
      return
    }
    try disk.fill()
    counts.fills[URL(fileURLWithPath: disk.path).lastPathComponent, default: 0] += 1
    later(200..<2_000, .free(disk))
  }

  private func kill() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<40: try killApplier()
    case 40..<70: killDaemon(world.relay)
    case 70..<90: killDaemon(world.signer)
    default: killSender()
    }
  }

  private func killDaemon(_ daemon: Daemon) {
    guard daemon.isRunning else { return }
    daemon.kill()
    counts.kills[daemon.name, default: 0] += 1
    restart(daemon)
  }

  /// At once, or after a pause in which others are struck.
  private func restart(_ daemon: Daemon) {
    later(Bool.random(using: &random) ? 0..<1 : 1..<1_000, .start(daemon))
  }

  /// Half of the time it is waited for until the applier is at work on its checkout.
  private func killApplier() throws {
    guard let applier = world.appliers.randomElement(using: &random), applier.daemon.isRunning
    else { return }
    let delay = UInt32.random(in: 0..<8_000, using: &random)
    let wanted: [Applier.Step] = [.none, .none, .staging, .moving, .moving]
    if let step = wanted.randomElement(using: &random), step != .none {
      try wait(for: step, of: applier)
      usleep(delay)
    }
    guard try isBearable(applier) else { return }
    applier.daemon.kill()
    counts.kills["appliers", default: 0] += 1
    try look(at: applier)
    if Int.random(in: 0..<10, using: &random) == 0, world.disk(of: applier.daemon)?.isFull != true {
      try checkTree(of: applier)
    }
    restart(applier.daemon)
  }

  /// Not for ever: there may be nothing to do for it.
  private func wait(for step: Applier.Step, of applier: Applier) throws {
    let end = ContinuousClock.now + .milliseconds(1_000)
    while applier.step != step, ContinuousClock.now < end, applier.daemon.isRunning {
      usleep(200)
      if due.contains(where: { $0.at <= .now }) { try act(until: .now) }
    }
  }

  /// What has ended the program six times is set aside, by whatever it was: no message is met so often.
  private func isBearable(_ applier: Applier) throws -> Bool {
    guard world.disk(of: applier.daemon)?.isFull != true else { return true }
    return try applier.state.count("attempt", "count > 3") == 0
  }

  private func look(at applier: Applier) throws {
    let step = applier.step
    counts.steps[step, default: 0] += 1
    // What a full disk does not let us read is not counted.
    guard world.disk(of: applier.daemon)?.isFull != true else { return }
    if try applier.hasJournal() {
      counts.journals += 1
    } else if step != .none {
      counts.recoveriesBack += 1
    }
  }

  /// Recovers, and handles what lies in the inbox; then nothing is at work, and the tree must be HEAD's.
  private func checkTree(of applier: Applier) throws {
    let end = ContinuousClock.now + .seconds(30)
    // Locks of git's that the killed run has taken are not believed to be its own before they are two seconds old.
    while case let status = try applier.daemon.runOnce(["--once"]), status != 0 {
      guard ContinuousClock.now < end else {
        return findings.append("\(applier.daemon.name) --once: exit status \(status)")
      }
      try pause(milliseconds: 200)
    }
    guard try applier.checkout.tip("HEAD") != nil else { return }
    counts.treesChecked += 1
    let differences = try applier.checkout.differences()
    if !differences.isEmpty {
      findings.append("\(applier.daemon.name) is torn after its recovery: \(differences)")
    }
  }

  /// In the middle of its work, if one comes by.
  private func killSender() {
    unlink(world.hookPIDFile)
    let end = ContinuousClock.now + .seconds(2)
    let delay = UInt32.random(in: 0..<40_000, using: &random)
    while ContinuousClock.now < end {
      usleep(300)
      guard let id = world.senderID else { continue }
      usleep(delay)
      guard world.senderID == id, Glibc.kill(id, SIGKILL) == 0 else { return }
      counts.kills["sign-and-send", default: 0] += 1
      return
    }
  }

  // MARK: - The end

  /// Everything works undisturbed until nothing is left to do; then it is stopped.
  private func settle() throws {
    for _ in 0..<5 {
      try waitUntilQuiet()
      for daemon in world.daemons.reversed() {
        if let status = daemon.stop(), status != 0 {
          findings.append("\(daemon.name) was stopped, and ended with \(status)")
        }
      }
      // A heartbeat may have been on its way.
      if try Quiet(world).obstacles().isEmpty { return }
      for daemon in world.daemons { try daemon.start() }
    }
    findings.append("it never was quiet")
  }

  private func waitUntilQuiet() throws {
    let end = ContinuousClock.now + Self.quietTimeout
    while case let obstacles = try Quiet(world).obstacles(), !obstacles.isEmpty {
      guard ContinuousClock.now < end else {
        throw Failure("after \(Self.quietTimeout): \(obstacles.joined(separator: "; "))")
      }
      try pause(milliseconds: 100)
    }
  }
}
