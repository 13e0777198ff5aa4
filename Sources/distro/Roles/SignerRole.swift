import Diagnostics
import Reporting
import Signer

extension Role {
  static let signer = Role(
    name: "signer",
    recognizes: { $0.root.value(of: "repositories") != nil },
    read: { path in
      let configuration = try SignerConfiguration.read(path)
      let listener = ListenerHandOver()
      return RoleStart {
        let log = try configuration.log.logger(for: "signer")
        for fault in configuration.settings.recipientFaults {
          log.report(.identityRejected, ErrorReport(fault).metadata)
        }
        return try SignerService(
          configuration.settings, configuration.reporting, handed: listener.take(), log: log)
      } adopt: { running in
        (running as? SignerService)?.handOver(to: listener)
        return false
      }
    },
    status: { path in
      let places = try SignerConfiguration.places(path)
      return try RoleStatus.ofState(at: places.state) {
        let fleet = try Fleet(Outbox(reading: places.state), repositories: places.repositories)
        let summary = try ReportingSummary(places.reporting, signerState: places.state)
        let style = TerminalStyle.ofOutput()
        return RoleStatus(
          text: FleetReport.text(
            fleet, at: WallClock.now(), staleSeconds: places.reporting.staleSeconds, style)
            + troubles(summary, style),
          json: FleetReport.lines(fleet, staleSeconds: places.reporting.staleSeconds),
          exit: exit(fleet, places.reporting, summary), faults: places.faults + fleet.faults)
      }
    },
    examine: { path, examination in
      let configuration = try SignerConfiguration.read(path)
      examination.ok(.configuration, path, "is valid")
      for fault in configuration.settings.recipientFaults { examination.fail(.key, path, fault) }
      SignerChecks(settings: configuration.settings).run(&examination)
      SocketChecks(socket: configuration.settings.socket, state: configuration.settings.state)
        .run(&examination)
      ReportingChecks(settings: configuration.reporting, state: configuration.settings.state)
        .run(&examination)
    },
    afterNewState:
      "run `distro sign-and-send --ref BRANCH` once for each branch: sequence numbers start above "
      + "all used before, and machines get what they miss; until then no heartbeats are sent")
}

extension Fleet {
  /// Somebody should look: a machine is not where its branch is, or silent, or a branch was not sent.
  func needsAttention(silentAfter seconds: UInt64) -> Bool {
    !unsent.isEmpty
      || rows.contains { row in
        // One that has the newest files by another way has refused what it needs no more.
        row.distance.commitCount != 0 || row.recipient.standing == .blocked
          || row.recipient.isUnseen(after: seconds)
      }
  }
}

/// What code hosts and people were not told, and what cannot be fetched, below the machines.
private func troubles(_ summary: ReportingSummary, _ style: TerminalStyle) -> String {
  guard !summary.troubles.isEmpty else { return "" }
  return "\n\n"
    + summary.troubles.flatMap { trouble in
      style.wrapped(
        Terminal.harmless("\(trouble.kind.rawValue): \(trouble.subject): \(trouble.text)"),
        indentation: Table.indentation, first: "")
    }.joined(separator: "\n")
}

private func exit(
  _ fleet: Fleet, _ reporting: ReportingSettings, _ summary: ReportingSummary
) -> ExitStatus {
  if fleet.needsAttention(silentAfter: reporting.staleSeconds) { return .refused }
  return summary.troubles.isEmpty ? .done : .fault
}
