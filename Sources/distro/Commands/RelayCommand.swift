import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
import ZeroMQ

struct RelayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "The daemon in the middle: keeps sealed messages until their readers collect them.",
    discussion: """
      It needs its own key only, and can open nothing of what it keeps. Identities come and go with the .pub files in \
      its directories; SIGHUP reads the configuration again. Stops within 5 seconds on SIGTERM.

        distro relay --config config/relay.yaml
      """)

  @Option(help: "The configuration, see config/relay.example.yaml.")
  var config: String

  func run() async throws {
    try Libzmq.requireVersion()
    try Libzmq.requireCurve()
    let configuration = try RelayConfiguration.read(config)
    let log = try configuration.log.logger(label: "distro.relay")
    let service = try RelayService(configuration, log: log)
    let hangUps = reload(service, log)
    let group = ServiceGroup(
      services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
    try await group.run()
    hangUps.cancel()
    log.notice("stopped")
  }

  /// On every SIGHUP, until it is cancelled. A configuration that is not valid changes nothing.
  private func reload(_ service: RelayService, _ log: Logger) -> any DispatchSourceSignal {
    let path = config
    signal(SIGHUP, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
    source.setEventHandler {
      do {
        service.reload(try RelayConfiguration.read(path))
        log.notice("reloaded", metadata: ["file": "\(path)"])
      } catch {
        log.error("not reloaded: all stays as it was", metadata: ["error": "\(error)"])
      }
    }
    source.resume()
    return source
  }
}
