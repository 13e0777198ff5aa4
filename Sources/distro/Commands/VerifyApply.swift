import Applier
import ArgumentParser
import Logging
import Mailboxes

struct VerifyApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The daemon on a private machine: verifies what arrives, applies it, answers.",
    discussion: """
      Stops within 5 seconds on SIGTERM, when the message in hand is done.

        distro verify-apply --config config/web1.yaml
      """)

  @Option(help: "The configuration, see config/applier.example.yaml.")
  var config: String

  @Flag(help: "Collects what waits at the relay, handles it and what is in the inbox, and exits.")
  var once = false

  @Flag(help: "With --once: prints what became of each message as JSON.")
  var json = false

  func validate() throws {
    guard once || !json else { throw ValidationError("--json needs --once") }
  }

  func run() async throws {
    try CarrierKinds.requireLibraries()
    guard once else {
      let log = try ApplierConfiguration.read(config).log.logger(for: "applier")
      try await Daemon(roles: { [ConfiguredRole(role: .applier, path: config)] }, log: log).run()
      return
    }
    let configuration = try ApplierConfiguration.read(config)
    let log = try configuration.log.logger(for: "applier")
    let state = try StateDatabase.applier(directory: configuration.settings.state)
    try handleOnce(configuration, MailboxStore(state: state), log)
  }

  private func handleOnce(
    _ configuration: ApplierConfiguration, _ store: MailboxStore, _ log: Logger
  ) throws {
    var answered: [Answered] = []
    let result = Result {
      try OnceRun(configuration: configuration, store: store, log: log).run { answered.append($0) }
    }
    if json { Terminal.print(try OnceReport.json(answered)) }
    try result.get()
    let isRefused = answered.contains { if case .refused = $0.outcome { true } else { false } }
    if isRefused { throw ExitCode(.refused) }
  }
}
