import Diagnostics
import Hooks
import Host
import Logging
import ServiceLifecycle
import Signer
import Synchronization

/// Takes webhooks, and tells the signer of them at its socket, until it is told to stop.
final class HooksService: RoleService {
  /// Files of secrets and certificates are looked at so often.
  private static let lookInterval: Duration = .seconds(1)

  private let hooks: RunningHooks
  private let signer: String
  private let loop: WorkLoop
  private let logConfiguration: LogConfiguration

  init(_ configuration: HooksConfiguration) throws {
    let log = try configuration.log.logger(for: "hooks")
    try DescriptorLimit.raise()
    let loop = WorkLoop(log: log)
    (self.loop, logConfiguration) = (loop, configuration.log)
    signer = configuration.settings.signer
    hooks = try RunningHooks(configuration.settings, log: log, now: WallClock.now) { loop.wake() }
  }

  /// Hooks, secrets and proxies are what `configuration` says from now on; `false`: it needs another server.
  func adopt(_ configuration: HooksConfiguration) throws -> Bool {
    guard configuration.log == logConfiguration else { return false }
    return try hooks.adopt(configuration.settings)
  }

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.hooks.run() }
      group.addTask { try await self.handOver() }
      group.addTask { await self.look() }
      do {
        // The server ends last: what it has taken is stored.
        while try await group.next() != nil {}
      } catch {
        loop.stop()
        group.cancelAll()
        throw error
      }
    }
  }

  func waitUntilReady() async throws { try await hooks.waitUntilListening() }

  private func handOver() async throws {
    try await loop.run(requiring: { [hooks] in try hooks.requireState() }) {
      [hooks, signer, loop] in
      let handOver = hooks.handOver(wake: loop.wake) { try SignerNotice.send($0, to: signer) }
      return {
        switch try handOver.step() {
        case .now: .now
        case .after(let duration): .after(duration)
        }
      }
    }
  }

  private func look() async {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        self.hooks.look()
        do { try await Task.sleep(for: Self.lookInterval) } catch { return }
      }
    }
  }

  /// All that was answered is stored.
  func abandon() {}

  var delay: Duration { max(hooks.delay, loop.delay) }
}
