import Diagnostics
import Relay

extension Role {
  static let relay = Role(
    name: "relay",
    // A file that has an identity and nothing else that tells is most likely an unfinished relay's.
    recognizes: { file in
      ["identity", "state"].contains { file.root.value(of: $0) != nil }
        && ["repositories", "checkouts", "hooks"].allSatisfy { file.root.value(of: $0) == nil }
    },
    read: { path in
      let configuration = try RelayConfiguration.read(path)
      return RoleStart {
        try RelayService(configuration)
      } adopt: { running in
        (running as? RelayService)?.adopt(configuration) ?? false
      }
    },
    status: { path in
      let places = try RelayConfiguration.places(path)
      return try RoleStatus.ofState(at: places.state) {
        let rows = try Relay.RelayStatus(places).rows
        return RoleStatus(
          text: MailboxReport.text(rows, at: WallClock.now(), .ofOutput()),
          json: rows.map { MailboxReport.Row($0) })
      }
    },
    examine: { path, examination in
      let settings = try RelayConfiguration.read(path).settings
      examination.ok(.configuration, path, "is valid")
      RelayChecks(settings: settings).run(&examination)
    },
    afterNewState:
      "nothing to do: messages and receipts that lay there are lost, and machines that then get a "
      + "heartbeat or a message ask for what they miss")
}
