import Diagnostics
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// A process that runs roles until SIGTERM or SIGINT, and reads their configurations anew on SIGHUP.
///
/// Roles start in order and stop in reverse, each when the one behind it has stopped. One that fails stops all, and the
/// program ends with a fault, so that the service manager starts it again.
struct Daemon {
  /// Which roles there are: asked at the start and at each reload.
  let roles: @Sendable () throws -> [ConfiguredRole]
  let log: Logger

  func run() async throws {
    // Before a role says that it listens: from here on a SIGHUP is a reload, and the others are an end in order.
    let hangUps = await UnixSignalsSequence(trapping: .sighup)
    let ends = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let limit = StopLimit(log: log)
    // Before the roles are there: one may wait for its database when it starts.
    let ending = Task { for await _ in ends { await limit.stop() } }
    defer { ending.cancel() }
    let runners = try await runBlocking(start)
    let manager = try ServiceManager(
      environment: ProcessInfo.processInfo.environment, runners: runners, log: log)
    let reload = ReloadService(
      roles: roles, runners: runners, signals: hangUps, manager: manager, log: log)
    // The last is the first to stop: systemd is told, the clock starts, then the roles.
    let services: [any Service] = runners + [reload, limit, manager]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map {
          .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: log))
    await limit.take(runners, in: group)
    do {
      try await group.run()
    } catch {
      log.report(.roleFailed, ErrorReport(error).metadata)
      // Not exit(3): its handlers would run while threads of other roles may be at work.
      _exit(ExitStatus(of: error).rawValue)
    }
    log.report(.stopped)
  }

  @Sendable private func start() throws -> [RoleRunner] {
    let roles = try self.roles()
    return try Role.all.map { role in
      try RoleRunner(role, as: roles.first { $0.role.name == role.name }, log: log)
    }
  }
}

/// Reads all configurations again on SIGHUP, in the order of the roles.
private struct ReloadService: Service {
  let roles: @Sendable () throws -> [ConfiguredRole]
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
  private func reload() async -> [String] {
    let roles: [ConfiguredRole]
    do {
      roles = try self.roles()
    } catch {
      let names = runners.filter { !$0.isIdle }.map(\.name)
      report(error, names)
      return names
    }
    var failures: [String] = []
    for runner in runners {
      let role = roles.first { $0.role.name == runner.name }
      let wasIdle = runner.isIdle
      do {
        try await runner.reload(as: role)
        guard !wasIdle || !runner.isIdle else { continue }
        log.report(
          runner.isIdle ? .roleRemoved : .reloaded, ["role": "\(runner.name)"])
      } catch {
        report(error, [runner.name])
        failures.append(runner.name)
      }
    }
    return failures
  }

  private func report(_ error: any Error, _ names: [String]) {
    let report = ErrorReport(error)
    log.report(
      .reloadFailed,
      [
        "role": "\(names.joined(separator: ", "))", "error": "\(report.message)",
        "hint": "\(report.hint ?? "")",
      ])
  }
}
