import Applier
import ArgumentParser
import Host
import Mailboxes
import Relay
import Signer

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the fleet, the checkouts of this machine, or the mailboxes of a relay.",
    discussion: """
      With a signer's configuration: every stream and machine, where it is, how far behind, and what was not sent. With \
      an applier's: every checkout, and whether it is what its signers want it to be; exit status 2 where one is stale. \
      With a relay's: what waits for whom. With that of `distro serve`: all of its roles.

        distro status --config config/signer.yaml
        distro status --config config/web1.yaml
      """)

  @Option(help: "The configuration of any role.")
  var config: String

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    var status = RoleStatus()
    let file = try ConfigurationFile(config)
    let kind = ConfigurationKind(file)
    let roles = kind == .serve ? try ServeConfiguration(file).files.map(\.path) : [config]
    for role in roles { try status.look(at: role) }
    Terminal.print(json ? try status.json(asOneRole: kind != .serve) : status.text)
    for fault in status.faults { ErrorReport(fault).print() }
    if !status.faults.isEmpty { throw ExitCode(.fault) }
    if status.isStale { throw ExitCode(.refused) }
  }
}

/// What each role of one process says of itself.
private struct RoleStatus: Encodable {
  private var relay: [MailboxReport.Row]?
  private var signer: [FleetReport.Line]?
  private var applier: CheckoutReport.Root?
  private var texts: [String] = []
  private(set) var isStale = false
  private(set) var faults: [any Error] = []

  private enum CodingKeys: CodingKey { case relay, signer, applier }

  var text: String { texts.joined(separator: "\n\n") }

  mutating func look(at path: String) throws {
    switch ConfigurationKind(try ConfigurationFile(path)) {
    case .relay:
      let places = try RelayConfiguration.places(path)
      guard try isThere(places.state) else { return }
      let rows = try RelayStatus(places).rows
      relay = rows.map { MailboxReport.Row($0) }
      texts.append(MailboxReport.text(rows))
    case .signer:
      let places = try SignerConfiguration.places(path)
      guard try isThere(places.state) else { return }
      let fleet = try Fleet(
        Outbox(directory: places.state), repositories: places.repositories)
      faults += fleet.faults
      signer = FleetReport.lines(fleet)
      texts.append(FleetReport.text(fleet))
    case .applier:
      let settings = try ApplierConfiguration.read(path).settings
      guard try isThere(settings.state) else { return }
      let store = try MailboxStore(state: StateDatabase.applier(directory: settings.state))
      let status = try ApplierStatus(
        settings, store: store, now: Moment(wall: Clock.now(), sinceBoot: .now()))
      isStale = status.needsAttention
      applier = CheckoutReport.Root(status)
      texts.append(CheckoutReport.text(status))
    case .serve:
      throw ConfigurationError.unreadable(
        file: path, reason: "it names roles, where a role's own configuration is expected")
    }
  }

  /// Whoever only looks makes no state, which would be theirs and not the service's.
  private mutating func isThere(_ state: String) throws -> Bool {
    if try FileRights.of(state + "/state.sqlite") != nil { return true }
    texts.append("\(state): nothing is there yet")
    return false
  }

  /// `asOneRole`: what that role says, without a key before it.
  func json(asOneRole: Bool) throws -> String {
    guard asOneRole else { return try StatusReport.encoded(self) }
    if let relay { return try StatusReport.encoded(relay) }
    if let signer { return try StatusReport.encoded(signer) }
    return try StatusReport.encoded(applier)
  }
}
