import Diagnostics
import Hooks
import Mailboxes

extension Role {
  static let hooks = Role(
    name: "hooks",
    // In the configuration of `distro serve`, the same key names a file.
    recognizes: { $0.root.value(of: "hooks")?.isList == true },
    read: { path in
      let configuration = try HooksConfiguration.read(path)
      return RoleStart {
        try HooksService(configuration)
      } adopt: { running in
        try (running as? HooksService)?.adopt(configuration) ?? false
      }
    },
    status: { path in
      let settings = try HooksConfiguration.read(path).settings
      return try RoleStatus.ofState(at: settings.state) {
        let status = try HookStatus(
          settings, reading: try StateDatabase(reading: settings.state))
        return RoleStatus(
          text: HookReport.text(status, at: WallClock.now(), .ofOutput()),
          json: HookReport.Root(status),
          exit: status.needsAttention(at: WallClock.now()) ? .refused : .done)
      }
    },
    examine: { path, examination in
      let settings = try HooksConfiguration.read(path).settings
      examination.ok(.configuration, path, "is valid")
      HookChecks(settings: settings).run(&examination)
    },
    afterNewState:
      "nothing to do: pushes that the signer had not taken are found by its next poll, and a redelivery "
      + "of the last 4 days makes it fetch once more")
}
