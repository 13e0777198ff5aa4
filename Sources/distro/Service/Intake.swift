import Applier
import Carriers
import Diagnostics
import Foundation
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Sodium
import ZeroMQ

/// The way of messages into an applier's inbox, and of its receipts to their signers.
final class Intake: Sendable {
  private enum Way: Sendable {
    case listener(CarrierListener)
    case exchange(Exchange)
  }

  /// Any message that the format allows.
  private static let byteCountMax =
    UInt64(Limits.chunkCountMax) * UInt64(Limits.chunkByteCountMax)

  private let way: Way
  /// Where it listens, or whom it connects to.
  let endpoint: String

  /// Listens, or begins to connect. `onMessage` is called when something new lies in the inbox.
  init(
    _ carrier: ApplierCarrier, for settings: ApplierSettings, into store: MailboxStore,
    log: Logger, onMessage: @escaping @Sendable () -> Void
  ) throws {
    switch carrier {
    case .listen(let endpoint):
      let listener = try Self.listener(
        on: endpoint, settings, store, log: log, onMessage: onMessage)
      (way, self.endpoint) = (.listener(listener), listener.endpoint)
    case .connect(let endpoint, let server):
      let exchange = try Self.exchange(
        with: endpoint, server, settings, store, log: log, onMessage: onMessage)
      (way, self.endpoint) = (.exchange(exchange), endpoint)
    }
  }

  private static func listener(
    on endpoint: String, _ settings: ApplierSettings, _ store: MailboxStore, log: Logger,
    onMessage: @escaping @Sendable () -> Void
  ) throws -> CarrierListener {
    let access = CarrierAccess(
      depositors: [settings.identity.public.mailbox: Set(settings.trustedSigners.map(\.mailbox))],
      byteCountMax: byteCountMax)
    let peers = try Dictionary(
      settings.trustedSigners.map { (try CurvePublicKey($0.transportKey.bytes), $0.mailbox) }
    ) { first, _ in first }
    let listener = try CarrierListener(
      on: endpoint, as: TransportIdentity(settings.identity), for: peers,
      desk: MailboxServer(store: store, access: access, quotas: .standard, now: Clock.now),
      log: log,
      onDeposit: onMessage,
      onFailure: {
        log.report(.receiveFailed)
        // The service manager starts the program again.
        _exit(ExitStatus.fault.rawValue)
      })
    log.report(.listening, ["endpoint": "\(listener.endpoint)"])
    return listener
  }

  private static func exchange(
    with endpoint: String, _ server: PublicIdentity, _ settings: ApplierSettings,
    _ store: MailboxStore, log: Logger, onMessage: @escaping @Sendable () -> Void
  ) throws -> Exchange {
    let handlers = ExchangeHandlers(
      accept: { messages in
        try store.commit(messages, at: Clock.now())
        onMessage()
      },
      stored: { outgoing in try store.remove(outgoing) })
    log.report(.collecting, ["endpoint": "\(endpoint)"])
    return try Exchange(
      ExchangeSettings(
        endpoint: endpoint, server: CurvePublicKey(server.transportKey.bytes),
        identity: TransportIdentity(settings.identity), mailbox: settings.identity.public.mailbox,
        byteCountMax: byteCountMax, store: store,
        correspondents: Set(settings.trustedSigners.map(\.mailbox))),
      in: Context(), handlers: handlers, log: log)
  }

  /// Receipts wait to be taken.
  func receiptsChanged() {
    switch way {
    case .listener(let listener): listener.mailboxesChanged()
    case .exchange(let exchange): exchange.outgoingChanged()
    }
  }

  /// How late its loop is with its next turn.
  var delay: Duration {
    switch way {
    case .listener(let listener): listener.delay
    case .exchange(let exchange): exchange.delay
    }
  }

  func stop() {
    switch way {
    case .listener(let listener): listener.stop()
    case .exchange(let exchange): exchange.stop()
    }
  }
}
