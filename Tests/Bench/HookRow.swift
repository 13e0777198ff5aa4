import Foundation
import Synchronization
import TestSupport

/// (w): webhooks. How long a code host waits for 202 at 200 requests a second, each on the disk, and the memory that many
/// cost. The signer is down: nothing is handed over meanwhile.
struct HookRow {
  private static let requestsPerSecond = 200
  private static let goalSeconds = 0.025
  private static let connectionCount = 16

  let workspace: Workspace
  let scale: Scale

  func measure() throws -> [Measurement] {
    let port = try FreePort.take()
    let hook = HookLine.Hook()
    try workspace.write(hook.secret, to: "secret", isPrivate: true)
    try workspace.write(
      hook.configuration(port: port, remote: Pair.remote)
        + "\nrequests-per-second: 100000\nlog: {level: warning}\n", to: "hooks.yaml")
    let program = try Program(
      [workspace.distro, "hooks", "--config", "hooks.yaml"], in: workspace.path(""),
      output: workspace.path("log"), environment: workspace.environment)
    defer { program.stop() }
    try program.waitForListener(at: port)
    return [try latency(port), try memory(port, program)]
  }

  private func latency(_ port: UInt16) throws -> Measurement {
    let count = Self.requestsPerSecond * (scale.isShort ? 3 : 15)
    let times = try post(count, at: port, each: .seconds(1) / Self.requestsPerSecond).sorted()
    let p50 = times[times.count / 2]
    let p99 = times[times.count * 99 / 100]
    return Measurement(
      name: "(w) webhook to 202 at 200 requests a second, 99 of 100, and 25 ms",
      ours: milliseconds(p99), theirs: milliseconds(Self.goalSeconds),
      ratio: p99 / Self.goalSeconds,
      goal: .atMost(1),
      notes: [
        "half of them within \(milliseconds(p50)), all within \(milliseconds(times.last ?? 0)); "
          + "\(count) were sent, \(times.count) answered with 202"
      ])
  }

  private func memory(_ port: UInt16, _ program: Program) throws -> Measurement {
    _ = try post(scale.hookCount / 10, at: port, each: .zero)
    let before = try program.memory
    _ = try post(scale.hookCount - scale.hookCount / 10, at: port, each: .zero)
    let after = try program.memory
    return Measurement(
      name: "(w) memory after \(scale.hookCount) webhooks, and after a tenth of them",
      ours: number(Double(after) / 1e6) + " MB", theirs: number(Double(before) / 1e6) + " MB",
      ratio: Double(after) / Double(before), goal: .atMost(1.2))
  }

  /// Sends so many, one each `interval` over a few connections; returns how long each was waited for. Another answer than
  /// 202 is an error.
  private func post(
    _ count: Int, at port: UInt16, each interval: Duration
  ) throws -> [Double] {
    let all = SharedTimes()
    let failures = Failures()
    let start = ContinuousClock.now
    // Each on a thread: a queue would run as few at once as there are processors.
    let group = DispatchGroup()
    for connection in 0..<Self.connectionCount {
      group.enter()
      Thread {
        failures.note {
          let line = try HookLine(to: port)
          var own: [Double] = []
          for number in stride(from: connection, to: count, by: Self.connectionCount) {
            let due = start + interval * number
            if due > .now { usleep(UInt32((due - .now) / .microseconds(1))) }
            // Since when it was due: a server that is late with one is late with the next.
            let begin = interval == .zero ? ContinuousClock.now : due
            try line.post()
            own.append(seconds(.now - begin))
          }
          all.add(own)
        }
        group.leave()
      }.start()
    }
    group.wait()
    try failures.rethrow()
    return all.times
  }
}

private final class SharedTimes: Sendable {
  private let all = Mutex<[Double]>([])

  var times: [Double] { all.withLock { $0 } }

  func add(_ times: [Double]) { all.withLock { $0 += times } }
}
