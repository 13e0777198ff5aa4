import Foundation
import Logging
import Machine
import ServiceLifecycle

/// Tells systemd, where it started us with `Type=notify`, that we are ready, reload, stop, and live: sd_notify(3).
struct ServiceManager: Service {
  private let socket: NotifySocket?
  private let interval: Duration?
  private let log: Logger
  private let status: @Sendable () -> String

  /// `environment`: as the service manager set it; `status`: what runs at the time. A socket that is named and cannot be used is an error: systemd would
  /// wait for us in vain.
  init(
    environment: [String: String], status: @escaping @Sendable () -> String, log: Logger
  ) throws {
    socket = try environment["NOTIFY_SOCKET"].map { try NotifySocket($0) }
    interval = Self.watchdogInterval(environment)
    self.status = status
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
    let status = self.status()
    log.notice("ready", metadata: ["status": "\(status)"])
    tell(["READY=1", "STATUS=\(status)"])
    let pulse = interval ?? .seconds(86_400)
    do {
      try await cancelWhenGracefulShutdown {
        while true {
          try await Task.sleep(for: pulse)
          if interval != nil { tell(["WATCHDOG=1"]) }
        }
      }
    } catch is CancellationError {
      tell(["STOPPING=1", "STATUS=stopping"])
    }
  }

  func reloading() {
    do {
      let time = try MachineClock.monotonicMicroseconds()
      tell(["RELOADING=1", "MONOTONIC_USEC=\(time)", "STATUS=reloading"])
    } catch {
      log.error("the service manager was not told", metadata: ["error": "\(error)"])
    }
  }

  /// `failures`: what goes on as it was.
  func reloaded(failures: [RoleName]) {
    let names = failures.map(\.rawValue).joined(separator: ", ")
    let note = failures.isEmpty ? "" : "; not reloaded: " + names
    tell(["READY=1", "STATUS=\(status())\(note)"])
  }

  private func tell(_ lines: [String]) {
    guard let socket else { return }
    do {
      try socket.send(lines)
    } catch {
      log.error("the service manager was not told", metadata: ["error": "\(error)"])
    }
  }
}
