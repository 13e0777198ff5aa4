package import CarrierProtocol
import Diagnostics
package import Logging
package import Mailboxes
package import MessageFormat
package import Sodium
import Spool
import Synchronization

/// The untrusted middle: a door for signers, one for appliers, and the mailboxes between them.
package final class RunningRelay: Sendable {
  /// Where it listens, with the ports that were taken.
  package let signersEndpoint: String
  package let appliersEndpoint: String
  private let thread: ListenerThread
  private let log: Logger
  private let rules: Mutex<Rules>
  private let claim: Mutex<StateClaim?>
  private let state: StateDatabase

  private enum Trouble { case unreadable, shortage }

  /// What can be changed while it runs.
  private struct Rules: Sendable {
    var settings: RelaySettings
    var signers: TrustedDirectory
    var appliers: TrustedDirectory
    /// Why a directory's list is not what lies there; logged already.
    var troubles: [String: Trouble] = [:]

    init(_ settings: RelaySettings) {
      self.settings = settings
      signers = TrustedDirectory(settings.trustedSigners)
      appliers = TrustedDirectory(settings.trustedAppliers)
    }

    var peers: TrustedPeers { TrustedPeers(signers: signers, appliers: appliers) }
  }

  /// Makes what listens, of a transport that this target does not know.
  package typealias Listen = ([CarrierDoor], Identity, Logger) throws -> any CarrierListener

  /// Listens when it returns; `onFailure` is called when it can no longer.
  package init(
    _ settings: RelaySettings, log: Logger, now: @escaping @Sendable () -> Timestamp,
    listen: Listen, onFailure: @escaping @Sendable (any Error) -> Void
  ) throws {
    self.log = log
    var rules = Rules(settings)
    _ = try rules.signers.refresh()
    _ = try rules.appliers.refresh()
    let peers = rules.peers
    let store = try MailboxStore(state: StateDatabase.relay(directory: settings.state))
    state = store.state
    claim = Mutex(try store.state.claim())
    let listener = try listen(
      [
        CarrierDoor(endpoint: settings.signersEndpoint, peers: peers.doorLists[0]),
        CarrierDoor(endpoint: settings.appliersEndpoint, peers: peers.doorLists[1]),
      ], settings.identity, log)
    let server = MailboxServer(
      store: store, access: peers.access(by: settings.routes), quotas: settings.quotas, now: now)
    thread = try ListenerThread(listener, server, arrived: {}, onFailure: onFailure)
    (signersEndpoint, appliersEndpoint) = (listener.endpoints[0], listener.endpoints[1])
    self.rules = Mutex(rules)
    Self.report(peers, routes: settings.routes, to: log)
  }

  /// Throws when the state has been deleted or replaced: what is stored then goes nowhere.
  package func requireState() throws(MailboxError) { try state.requireInPlace() }

  /// Looks at the directories, and lets in and keeps out whom they say now.
  package func refresh() { apply(nil) }

  /// Other directories, routes and quotas from now on; `false`, and nothing changes: it is to listen elsewhere or as
  /// somebody else, or to keep its state in another place.
  package func reload(_ settings: RelaySettings) -> Bool {
    guard rules.withLock({ settings.differsOnlyInRules(from: $0.settings) }) else { return false }
    apply(settings)
    return true
  }

  /// How late its loop is with its next turn.
  package var delay: Duration { thread.listener.delay }

  package func stop() {
    thread.stop()
    claim.withLock { $0 = nil }
  }

  private func apply(_ new: RelaySettings?) {
    // In one step: two at once must not overtake each other.
    rules.withLock { rules in
      if let new { replace(&rules, by: new) }
      let isNewSigner = refresh(\.signers, of: &rules)
      let isNewApplier = refresh(\.appliers, of: &rules)
      guard new != nil || isNewSigner || isNewApplier else { return }
      let peers = rules.peers
      thread.listener.replace(
        peers: peers.doorLists, access: peers.access(by: rules.settings.routes),
        quotas: rules.settings.quotas)
      Self.report(peers, routes: rules.settings.routes, to: log)
    }
  }

  private func replace(_ rules: inout Rules, by settings: RelaySettings) {
    let troubles = rules.troubles
    rules = Rules(settings)
    rules.troubles = troubles
  }

  /// Whether anything changed; a directory that has become unreadable has, and trusts no identity.
  private func refresh(
    _ directory: WritableKeyPath<Rules, TrustedDirectory>, of rules: inout Rules
  ) -> Bool {
    let path = rules[keyPath: directory].path
    do throws(SpoolError) {
      let hasChanged = try rules[keyPath: directory].refresh()
      rules.troubles[path] = nil
      return hasChanged
    } catch {
      let trouble: Trouble = error.isShortage ? .shortage : .unreadable
      guard rules.troubles.updateValue(trouble, forKey: path) != trouble else { return false }
      log.report(
        .directoryUnreadable,
        [
          "error": "\(error)",
          "consequence": error.isShortage
            ? "keeping the identities loaded before" : "refusing all of its identities",
        ])
      return !error.isShortage
    }
  }

  private static func report(
    _ peers: TrustedPeers, routes: [RelaySettings.Route]?, to log: Logger
  ) {
    for fault in peers.faults {
      log.report(
        .identityRejected,
        ["file": "\(fault.file)", "reason": "\(fault.reason)"])
    }
    for name in peers.unknownNames(in: routes ?? []) {
      log.report(.routeUnknown, ["name": "\(name)"])
    }
    log.report(
      .identitiesLoaded,
      ["signers": .number(peers.signers.count), "appliers": .number(peers.appliers.count)])
  }
}
