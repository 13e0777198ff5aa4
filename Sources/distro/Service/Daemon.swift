import Dispatch
import Foundation
import Logging
import Machine
import ServiceLifecycle
import UnixSignals

/// A process that runs roles until SIGTERM or SIGINT, and reads their configurations anew on SIGHUP.
///
/// Roles start in order and stop in reverse, each when the one behind it has stopped. One that fails stops all, and the
/// program ends with a fault, so that the service manager starts it again.
struct Daemon {
  /// Which roles there are: asked at the start and at each reload.
  let roles: @Sendable () throws -> [Role]
  let log: Logger

  func run() async throws {
    // Before a role says that it listens: from here on a SIGHUP is a reload, and the others are an end in order.
    let hangUps = await UnixSignalsSequence(trapping: .sighup)
    let ends = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let runners = try start()
    let manager = try ServiceManager(
      environment: ProcessInfo.processInfo.environment, runners: runners, log: log)
    let reload = ReloadService(
      roles: roles, runners: runners, signals: hangUps, manager: manager, log: log)
    let limit = StopLimit(runners: runners, log: log)
    // The last is the first to stop: systemd is told, the clock starts, then the roles.
    let services: [any Service] = runners + [reload, limit, manager]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map {
          .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: log))
    let ending = Task { for await _ in ends { await group.triggerGracefulShutdown() } }
    defer { ending.cancel() }
    do {
      try await group.run()
    } catch {
      log.critical("a role failed; ending", metadata: ErrorReport(error).metadata)
      // Not exit(3): its handlers would run while threads of other roles may be at work.
      _exit(ExitStatus.fault.rawValue)
    }
    log.notice("stopped")
  }

  private func start() throws -> [RoleRunner] {
    let roles = try self.roles()
    return try RoleName.allCases.map { name in
      try RoleRunner(name, as: roles.first { $0.name == name }, log: log)
    }
  }
}

/// Reads all configurations again on SIGHUP, in the order of the roles.
private struct ReloadService: Service {
  let roles: @Sendable () throws -> [Role]
  let runners: [RoleRunner]
  let signals: UnixSignalsSequence
  let manager: ServiceManager
  let log: Logger

  func run() async throws {
    for await _ in signals.cancelOnGracefulShutdown() {
      manager.reloading()
      manager.reloaded(failures: await reload())
    }
  }

  /// Answers which roles go on as they were.
  private func reload() async -> [RoleName] {
    let roles: [Role]
    do {
      roles = try self.roles()
    } catch {
      let names = runners.filter { !$0.isIdle }.map(\.name)
      report(error, names)
      return names
    }
    var failures: [RoleName] = []
    for runner in runners {
      let role = roles.first { $0.name == runner.name }
      let wasIdle = runner.isIdle
      do {
        try await runner.reload(as: role)
        guard !wasIdle || !runner.isIdle else { continue }
        log.notice(
          runner.isIdle ? "no longer configured" : "reloaded", metadata: ["role": "\(runner.name)"])
      } catch {
        report(error, [runner.name])
        failures.append(runner.name)
      }
    }
    return failures
  }

  private func report(_ error: any Error, _ names: [RoleName]) {
    let report = ErrorReport(error)
    log.error(
      "the new configuration was not taken; the old one stays",
      metadata: [
        "role": "\(names.map(\.rawValue).joined(separator: ", "))", "error": "\(report.message)",
        "hint": "\(report.hint ?? "")",
      ])
  }
}

/// Ends the program when stopping takes too long: everything that it does may be interrupted, and goes on at the next start.
private struct StopLimit: Service {
  /// Within five seconds of the signal we are gone: so long for the work in hand, then so long for noting that it is left,
  /// which waits for the database that the work may be waiting for.
  private static let timeout: DispatchTimeInterval = .milliseconds(3_750)
  private static let noteTimeout: Duration = .milliseconds(750)

  let runners: [RoleRunner]
  let log: Logger

  func run() async throws {
    try await gracefulShutdown()
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.timeout) {
      log.warning("the work in hand is left to the next start")
      if !LastWord.say(within: Self.noteTimeout, abandon) {
        log.error("could not be noted for the next start", metadata: ["error": "it took too long"])
      }
      _exit(ExitStatus.done.rawValue)
    }
  }

  private func abandon() {
    for runner in runners {
      do {
        try runner.abandon()
      } catch {
        log.error(
          "could not be noted for the next start",
          metadata: ["role": "\(runner.name)", "error": "\(ErrorReport(error).message)"])
      }
    }
  }
}
