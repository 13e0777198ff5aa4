import Diagnostics
import Foundation
import Host
import Logging
import ServiceLifecycle

/// Tells systemd, where it started us with `Type=notify`, that we are ready, reload, stop, and live: sd_notify(3). That
/// we live is not said when a role's loop hangs.
struct ServiceManager: Service {
  private let socket: NotifySocket?
  private let interval: Duration?
  private let log: Logger
  private let runners: [RoleRunner]

  /// `environment`: as the service manager set it. A socket that is named and cannot be used is an error: systemd would
  /// wait for us in vain.
  init(environment: [String: String], runners: [RoleRunner], log: Logger) throws {
    socket = try environment["NOTIFY_SOCKET"].map { try NotifySocket($0) }
    interval = Self.watchdogInterval(environment)
    self.runners = runners
    self.log = log
  }

  /// Half of what systemd waits for, as sd_watchdog_enabled(3) recommends; `nil` where it waits for another process, or none.
  private static func watchdogInterval(_ environment: [String: String]) -> Duration? {
    guard let text = environment["WATCHDOG_USEC"], let microseconds = UInt64(text),
      microseconds > 0
    else { return nil }
    if let pid = environment["WATCHDOG_PID"], pid != "\(getpid())" { return nil }
    return .microseconds(microseconds / 2)
  }

  /// Everything has been started when it is called, and signals are taken.
  func run() async throws {
    do {
      for runner in runners { try await runner.waitUntilReady() }
      log.report(.ready, ["status": "\(status)"])
      tell(["READY=1", "STATUS=\(status)"])
      try await cancelWhenGracefulShutdown { try await sayThatWeLive() }
    } catch is CancellationError {
      // The end of what never ends by itself.
    }
    tell(["STOPPING=1", "STATUS=stopping"])
  }

  private func sayThatWeLive() async throws {
    guard let interval else { return try await gracefulShutdown() }
    var liveness = Liveness(of: runners, watchedEvery: interval, log: log)
    while true {
      try await Task.sleep(for: interval)
      if liveness.check() { tell(["WATCHDOG=1"]) }
    }
  }

  func reloading() {
    do {
      let time = try HostClock.monotonicMicroseconds()
      tell(["RELOADING=1", "MONOTONIC_USEC=\(time)", "STATUS=reloading"])
    } catch {
      log.report(.managerUnreachable, ["error": "\(error)"])
    }
  }

  /// `failures`: what goes on as it was.
  func reloaded(failures: [String]) {
    let names = failures.joined(separator: ", ")
    let note = failures.isEmpty ? "" : "; not reloaded: " + names
    tell(["READY=1", "STATUS=\(status)\(note)"])
  }

  /// What runs at the time.
  private var status: String {
    "running: "
      + runners.filter { !$0.isIdle }.map(\.name).joined(separator: ", ")
  }

  private func tell(_ lines: [String]) {
    guard let socket else { return }
    do {
      try socket.send(lines)
    } catch {
      log.report(.managerUnreachable, ["error": "\(error)"])
    }
  }
}

/// Whether the loops of all roles turn.
private struct Liveness {
  private let runners: [RoleRunner]
  private let limit: Duration
  private let log: Logger
  /// Said of these already.
  private var hanging: Set<String> = []

  /// The limit is three times what systemd waits for, with the units' `WatchdogSec=60` three minutes: SQLite alone waits
  /// a minute for a lock, and a disk that is slow is none that hangs.
  init(of runners: [RoleRunner], watchedEvery interval: Duration, log: Logger) {
    self.runners = runners
    limit = interval * 6
    self.log = log
  }

  mutating func check() -> Bool {
    for runner in runners {
      let (name, delay) = (runner.name, runner.delay)
      guard delay > limit else {
        if hanging.remove(name) != nil { log.report(.roleRecovered, ["role": "\(name)"]) }
        continue
      }
      guard hanging.insert(name).inserted else { continue }
      log.report(
        .roleHangs, ["role": "\(name)", "seconds": .number(delay.components.seconds)])
    }
    return hanging.isEmpty
  }
}
