import Diagnostics
import Foundation
import Host
import Logging
import Relay
import ServiceLifecycle

/// A relay that runs until it is told to stop, and looks at its directories of identities meanwhile.
final class RelayService: RoleService {
  private static let lookInterval: Duration = .seconds(1)

  private let relay: RunningRelay
  private let logConfiguration: LogConfiguration

  /// Listens when it returns.
  init(_ configuration: RelayConfiguration) throws {
    let log = try configuration.log.logger(for: "relay")
    logConfiguration = configuration.log
    let descriptorCountMax = try DescriptorLimit.raise()
    relay = try RunningRelay(
      configuration.settings, log: log, now: WallClock.now, listen: CarrierKinds.relayListener
    ) { error in
      log.report(.receiveFailed, ["error": "\(error)"])
      // The service manager starts the program again.
      _exit(ExitStatus.fault.rawValue)
    }
    log.report(
      .listening,
      [
        "signers": "\(relay.signersEndpoint)", "appliers": "\(relay.appliersEndpoint)",
        "descriptors": .number(descriptorCountMax),
      ])
  }

  func run() async throws {
    defer { relay.stop() }
    try await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try self.relay.requireState()
        self.relay.refresh()
        do { try await Task.sleep(for: Self.lookInterval) } catch { return }
      }
    }
  }

  /// Directories, routes and quotas are what `configuration` says from now on; `false`: it needs another relay.
  func adopt(_ configuration: RelayConfiguration) -> Bool {
    configuration.log == logConfiguration && relay.reload(configuration.settings)
  }

  /// All that it has said is stored is on the disk.
  func abandon() {}

  var delay: Duration { relay.delay }
}
