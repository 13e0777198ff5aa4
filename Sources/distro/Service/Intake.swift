import Applier
import CarrierProtocol
import Diagnostics
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// The way of messages into an applier's inbox, and of its receipts to their signers.
final class Intake: Sendable {
  /// Any message that the format allows.
  private static let byteCountMax =
    UInt64(Limits.chunkCountMax) * UInt64(Limits.chunkByteCountMax)

  private let carriers = CarrierSet()

  /// Listens, or begins to connect. `onMessage` is called when something new lies in the inbox; `prepare` may ask to be
  /// told of more.
  init(
    _ plans: [any CarrierPlan], failover delay: Duration, for settings: ApplierSettings,
    into store: MailboxStore, timeouts: ExchangeTimeouts = ExchangeTimeouts(), log: Logger,
    onMessage: @escaping @Sendable () -> Void,
    prepare: (inout CarrierPort, String) -> Void = { _, _ in }
  ) throws {
    let failover = Failover(after: delay)
    for plan in plans {
      try start(
        plan, failover, for: settings, into: store, timeouts, log, onMessage: onMessage,
        prepare: prepare)
    }
  }

  private func start(
    _ plan: any CarrierPlan, _ failover: Failover, for settings: ApplierSettings,
    into store: MailboxStore, _ timeouts: ExchangeTimeouts, _ log: Logger,
    onMessage: @escaping @Sendable () -> Void, prepare: (inout CarrierPort, String) -> Void
  ) throws {
    var port = CarrierPort(
      mailbox: settings.identity.public.mailbox,
      correspondents: Set(settings.trustedSigners.map(\.mailbox)), store: store,
      byteCountMax: Self.byteCountMax, log: log, now: WallClock.now, arrived: onMessage)
    port.turn = failover.turn(for: port.correspondents)
    prepare(&port, plan.place)
    let carrier = try plan.carrier(
      for: settings.identity, peers: settings.trustedSigners, timeouts: timeouts, log: log)
    try carriers.start(carrier, port) { error in
      log.report(.receiveFailed, ["error": "\(error)"])
      // The service manager starts the program again.
      _exit(ExitStatus.fault.rawValue)
    }
    log.report(plan.isListening ? .listening : .collecting, ["endpoint": "\(carrier.place)"])
  }

  /// Receipts wait to be taken.
  func receiptsChanged() { carriers.outgoingChanged() }

  /// How late the latest of their loops is with its next turn.
  var delay: Duration { carriers.delay }

  func stop() { carriers.stop() }
}
