import Applier
import ArgumentParser
import Mailboxes
import Signer

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the fleet, or the checkouts of this machine.",
    discussion: """
      With a signer's configuration: every stream and machine, where it is, and how far behind. With an applier's: every
      checkout, and whether it is what its signers want it to be; exit status 2 where one is stale.

        distro status --config config/signer.yaml
        distro status --config config/web1.yaml
      """)

  @Option(help: "The signer's or the applier's configuration.")
  var config: String

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    if try ConfigurationFile(config).root.value(of: "checkouts") != nil {
      try showCheckouts()
    } else {
      try showFleet()
    }
  }

  private func showFleet() throws {
    let places = try SignerConfiguration.places(config)
    let outbox = try Outbox(directory: places.state)
    let fleet = try Fleet(outbox, repositories: places.repositories)
    if json {
      Terminal.print(try FleetReport.json(fleet))
    } else if fleet.rows.isEmpty {
      Terminal.print("nothing was sent yet")
    } else {
      Terminal.print(FleetReport.table(fleet))
    }
  }

  private func showCheckouts() throws {
    let settings = try ApplierConfiguration.read(config).settings
    let store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
    let status = try ApplierStatus(settings, store: store, now: Clock.now())
    Terminal.print(json ? try CheckoutReport.json(status) : CheckoutReport.text(status))
    if status.isStale { throw ExitStatus.refused }
  }
}
