import Diagnostics
import Signer

extension Role {
  static let signer = Role(
    name: "signer",
    recognizes: { $0.root.value(of: "repositories") != nil },
    read: { path in
      let configuration = try SignerConfiguration.read(path)
      return RoleStart {
        let log = try configuration.log.logger(for: "signer")
        for fault in configuration.faults {
          log.report(.identityRejected, ErrorReport(fault).metadata)
        }
        return try SignerService(configuration.settings, log: log)
      }
    },
    status: { path in
      let places = try SignerConfiguration.places(path)
      return try RoleStatus.ofState(at: places.state) {
        let fleet = try Fleet(Outbox(reading: places.state), repositories: places.repositories)
        return RoleStatus(
          text: FleetReport.text(fleet), json: FleetReport.lines(fleet),
          exit: fleet.needsAttention ? .refused : .done, faults: places.faults + fleet.faults)
      }
    },
    examine: { path, examination in
      let configuration = try SignerConfiguration.read(path)
      examination.ok(.configuration, path, "is valid")
      for fault in configuration.faults { examination.fail(.key, path, fault) }
      SignerChecks(settings: configuration.settings).run(&examination)
    },
    afterNewState:
      "run `distro sign-and-send --ref BRANCH` once for each branch: sequence numbers start above "
      + "all used before, and machines get what they miss; until then no heartbeats are sent")
}

extension Fleet {
  /// Somebody should look: a machine is not where its branch is, or a branch was not sent.
  var needsAttention: Bool {
    !unsent.isEmpty
      || rows.contains { row in
        // One that has the newest files by another way has refused what it needs no more.
        row.distance.commitCount != 0 || row.recipient.standing == .blocked
      }
  }
}
