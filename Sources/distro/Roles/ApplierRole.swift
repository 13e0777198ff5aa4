import Applier
import Diagnostics
import Mailboxes

extension Role {
  static let applier = Role(
    name: "applier",
    recognizes: { $0.root.value(of: "checkouts") != nil },
    read: { path in
      let configuration = try ApplierConfiguration.read(path)
      return RoleStart {
        let log = try configuration.log.logger(for: "applier")
        let state = try StateDatabase.applier(directory: configuration.settings.state)
        return try ApplierService(configuration, store: MailboxStore(state: state), log: log)
      }
    },
    status: { path in
      let settings = try ApplierConfiguration.read(path).settings
      return try RoleStatus.ofState(at: settings.state) {
        let store = MailboxStore(reading: try StateDatabase(reading: settings.state))
        let status = try ApplierStatus(
          settings, store: store, now: Moment(wall: WallClock.now(), sinceBoot: .now()))
        return RoleStatus(
          text: CheckoutReport.text(status, at: WallClock.now(), .ofOutput()),
          json: CheckoutReport.Root(status),
          exit: status.needsAttention ? .refused : .done)
      }
    },
    examine: { path, examination in
      let configuration = try ApplierConfiguration.read(path)
      examination.ok(.configuration, path, "is valid")
      ApplierChecks(configuration: configuration).run(&examination)
    },
    afterNewState:
      "nothing to do: checkouts stay, and the signer sends what they miss; only sequence numbers seen "
      + "before are forgotten, so a replayed message that has not expired is applied where it starts at "
      + "the checkout's revision")
}
