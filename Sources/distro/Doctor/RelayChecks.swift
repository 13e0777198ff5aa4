import Host
import Relay

/// What a relay needs: identities that it can let in, doors that are its own, and a descriptor for each of them.
struct RelayChecks {
  let settings: RelaySettings

  func run(_ examination: inout Examination) {
    var signers = TrustedDirectory(settings.trustedSigners)
    var appliers = TrustedDirectory(settings.trustedAppliers)
    do {
      _ = try signers.refresh()
      _ = try appliers.refresh()
    } catch {
      examination.fail(.trust, settings.trustedSigners, error)
    }
    let peers = TrustedPeers(signers: signers, appliers: appliers)
    check("signers", peers.signers.count, in: settings.trustedSigners, &examination)
    check("appliers", peers.appliers.count, in: settings.trustedAppliers, &examination)
    for fault in peers.faults {
      examination.fail(
        .trust, fault.file, "is not let in: \(fault.reason)",
        do: "copy the .pub file of that machine again, or remove it")
    }
    checkDescriptors(for: peers.signers.count + peers.appliers.count, &examination)
    for endpoint in [settings.signersEndpoint, settings.appliersEndpoint] {
      ListenerChecks(endpoint: endpoint, identity: settings.identity).run(&examination)
    }
  }

  private func check(
    _ kind: String, _ count: Int, in directory: String, _ examination: inout Examination
  ) {
    do {
      if let rights = try FileRights.of(directory), rights.mode & 0o022 != 0 {
        examination.fail(
          .trust, directory,
          "others can let themselves in (mode 0\(String(rights.mode, radix: 8)))",
          do: "chmod go-w \(directory)")
      }
    } catch {
      examination.fail(.trust, directory, error)
    }
    if count == 0 {
      examination.warn(
        .trust, directory, "lets in no \(kind)", do: "put the .pub files of your \(kind) there")
    } else {
      examination.ok(.trust, directory, "lets in \(count) \(kind)")
    }
  }

  /// It raises its limit to what it may have.
  private func checkDescriptors(for count: Int, _ examination: inout Examination) {
    do {
      let limit = try ResourceLimit.openFiles.value(hard: true) ?? .max
      // A machine that comes back may have two connections for a while.
      let needed = UInt64(2 * count) + HostChecks.openFileCountMin
      if limit < needed {
        examination.fail(
          .limits, "connections", "\(limit) open files are allowed, \(needed) may be needed",
          do: "LimitNOFILE= in the unit")
      }
    } catch {
      examination.fail(.limits, "connections", error)
    }
  }
}
