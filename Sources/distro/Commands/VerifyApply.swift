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

  @Flag(help: "Handles what waits in the inbox, and exits.")
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
    try handleOnce(configuration.settings, MailboxStore(state: state), log)
  }

  private func handleOnce(
    _ settings: ApplierSettings, _ store: MailboxStore, _ log: Logger
  ) throws {
    let claim = try store.state.claim()
    var answered: [Answered] = []
    let worker = Worker(
      settings, store: store, log: log, now: Clock.now, onAnswer: {},
      onOutcome: { answered.append($0) })
    while case .progress = try worker.handleNext() {}
    _ = consume claim
    if json { Terminal.print(try OnceReport.json(answered)) }
    if let fault = worker.fault { throw fault }
    let isRefused = answered.contains { if case .refused = $0.outcome { true } else { false } }
    if isRefused { throw ExitCode(.refused) }
  }
}
