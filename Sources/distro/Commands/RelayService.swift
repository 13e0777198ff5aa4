import Foundation
import Logging
import Relay
import ServiceLifecycle
import ZeroMQ

/// A relay that runs until it is told to stop, and looks at its directories of identities meanwhile.
final class RelayService: Service {
  private static let lookInterval: Duration = .seconds(1)

  private let relay: RunningRelay
  private let log: Logger
  /// How many connections there can be, nearly.
  private let descriptorCountMax: UInt64

  /// Listens when it returns.
  init(_ configuration: RelayConfiguration, log: Logger) throws {
    self.log = log
    descriptorCountMax = try DescriptorLimit.raise()
    relay = try RunningRelay(configuration.settings, log: log, now: Clock.now) {
      log.critical("nothing can be received any more; ending")
      // The service manager starts the program again.
      _exit(ExitStatus.fault.rawValue)
    }
  }

  func run() async throws {
    log.notice(
      "listening",
      metadata: [
        "signers": "\(relay.signersEndpoint)", "appliers": "\(relay.appliersEndpoint)",
        "descriptors": "\(descriptorCountMax)",
      ])
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        self.relay.refresh()
        do { try await Task.sleep(for: Self.lookInterval) } catch { return }
      }
    }
    relay.stop()
  }

  /// Directories, routes and quotas as they are in `configuration`; what needs a restart is said in the log.
  func reload(_ configuration: RelayConfiguration) {
    relay.reload(configuration.settings)
  }
}
