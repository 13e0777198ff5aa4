import ArgumentParser
import Diagnostics
import Logging
import ServiceLifecycle
import Synchronization

/// Runs one role, and makes it anew when its configuration has changed in a way that it cannot adopt as it runs.
///
/// The old one ends before the new one begins: both would want the same port and the same state.
final class RoleRunner: Service {
  private struct State {
    var service: any RoleService
    var group: ServiceGroup
    var start: RoleStart
    /// What the next turn begins with; `nil`: the role ends with this one.
    var next: RoleStart?
    var reload: CheckedContinuation<Void, any Error>?
  }

  let name: String
  private let log: Logger
  private let state: Mutex<State>

  /// Started when it returns; idle without a role. A configuration that cannot be taken, or whose keys cannot, ends the
  /// program as such.
  init(_ role: Role, as configured: ConfiguredRole?, log: Logger) throws {
    name = role.name
    self.log = log
    let start: RoleStart
    do {
      start = try configured.map { try $0.role.read($0.path) } ?? .idle
    } catch {
      ErrorReport(error).print()
      throw ExitCode(.configuration)
    }
    let service = try start.make()
    state = Mutex(State(service: service, group: Self.group(of: service, log), start: start))
  }

  private static func group(of service: any RoleService, _ log: Logger) -> ServiceGroup {
    ServiceGroup(
      configuration: ServiceGroupConfiguration(services: [.init(service: service)], logger: log))
  }

  func run() async throws {
    // A caller that waits for a reload gets its answer, however this ends.
    defer { finishReload(.success(())) }
    repeat {
      let group = state.withLock { $0.group }
      try await group.run()
    } while try startNext()
    if !isIdle { log.report(.roleEnded, ["role": "\(name)"]) }
  }

  var isIdle: Bool { state.withLock { $0.service is IdleService } }

  /// Whether there is another turn.
  private func startNext() throws -> Bool {
    let (next, old) = state.withLock { state in
      defer { state.next = nil }
      return (state.next, state.start)
    }
    guard let next else { return false }
    do {
      begin(try next.make(), next)
      finishReload(.success(()))
    } catch {
      begin(try old.make(), old)
      finishReload(.failure(error))
    }
    return true
  }

  private func begin(_ service: any RoleService, _ start: RoleStart) {
    let group = Self.group(of: service, log)
    state.withLock { ($0.service, $0.group, $0.start) = (service, group, start) }
  }

  private func finishReload(_ result: Result<Void, any Error>) {
    let reload = state.withLock { state in
      defer { state.reload = nil }
      return state.reload
    }
    reload?.resume(with: result)
  }

  /// Returns when the role runs anew, or has ended because there is none any more; throws where its configuration cannot
  /// be taken, or not be started, and the role goes on as it was. One at a time.
  func reload(as configured: ConfiguredRole?) async throws {
    let next = try configured.map { try $0.role.read($0.path) } ?? .idle
    let isAdopted = try state.withLock { state in
      guard try next.adopt(state.service) else { return false }
      state.start = next
      return true
    }
    if isAdopted { return }
    try await withCheckedThrowingContinuation { continuation in
      let group = state.withLock { state in
        precondition(state.reload == nil, "reloads come one after the other")
        (state.next, state.reload) = (next, continuation)
        return state.group
      }
      Task { await group.triggerGracefulShutdown() }
    }
  }

  /// See `RoleService`.
  func waitUntilReady() async throws {
    try await state.withLock { $0.service }.waitUntilReady()
  }

  var delay: Duration { state.withLock { $0.service }.delay }

  func abandon() throws { try state.withLock { $0.service }.abandon() }
}
