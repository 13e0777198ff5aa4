import Host
package import Logging
package import Mailboxes
package import MessageFormat
package import ZeroMQ

/// Where an exchange goes, and what it carries.
package struct ExchangeSettings: Sendable {
  package let endpoint: String
  /// The transport key that must answer there.
  package let server: CurvePublicKey
  package let identity: TransportIdentity
  /// Ours, which is emptied.
  package let mailbox: Mailbox
  /// Of one message for us; what is larger is dropped unread.
  package let byteCountMax: UInt64
  /// Where both kinds lie here.
  package let store: MailboxStore
  /// Whose messages this carrier takes.
  package let correspondents: Set<Mailbox>
  package let patience: ExchangeTimeouts
  /// Of messages for us that wait here to be handled; above it, the rest waits at the carrier.
  package let inboxMax: InboxLimit

  package init(
    endpoint: String, server: CurvePublicKey, identity: TransportIdentity, mailbox: Mailbox,
    byteCountMax: UInt64, store: MailboxStore, correspondents: Set<Mailbox>,
    patience: ExchangeTimeouts = ExchangeTimeouts(), inboxMax: InboxLimit = InboxLimit()
  ) {
    self.endpoint = endpoint
    self.server = server
    self.identity = identity
    self.mailbox = mailbox
    self.byteCountMax = byteCountMax
    self.store = store
    self.correspondents = correspondents
    self.patience = patience
    self.inboxMax = inboxMax
  }
}

/// How much may wait in an inbox: a carrier that sends without end must not fill the disk.
package struct InboxLimit: Sendable {
  package var byteCount: UInt64 = Limits.inboxByteCountMax
  package var messageCount: UInt64 = Limits.inboxMessageCountMax

  package init() {}
}

/// What an exchange tells of. All are called on its thread, and must not wait for it.
package struct ExchangeHandlers: Sendable {
  /// Makes messages for us durable; they are acknowledged when it returns, and collected again when it throws.
  package var accept: @Sendable ([MessageWriter]) throws -> Void
  /// The carrier has the message on its disk, for these mailboxes.
  package var stored: @Sendable (WaitingMessage) throws -> Void
  /// The carrier does not take it for that mailbox; it is tried again.
  package var refused: @Sendable (ExchangeRefusal) -> Void = { _ in }
  package var stateChanged: @Sendable (ExchangeState) -> Void = { _ in }
  /// A step of a deposit, in chunks.
  package var moved: @Sendable (_ done: UInt32, _ total: UInt32) -> Void = { _, _ in }

  package init(
    accept: @escaping @Sendable ([MessageWriter]) throws -> Void,
    stored: @escaping @Sendable (WaitingMessage) throws -> Void
  ) {
    self.accept = accept
    self.stored = stored
  }
}

package struct ExchangeRefusal: Sendable {
  package let message: MessageID
  package let mailbox: Mailbox
  package let reason: CarrierRefusal
  package let detail: String
}

/// How an exchange stands with its carrier.
package enum ExchangeState: Sendable {
  case connecting
  case connected
  /// There is no connection; tried again after a while, for ever.
  case failed(CarrierError)
}

/// A role's traffic with one carrier, both ways at once, on a thread of its own and over one connection: what waits here for
/// others goes there, what waits there for us comes here. Nothing leaves either disk before it is on the other.
///
/// Goes on where it was when the connection breaks, also within a message. A carrier that is silent, gone, moved or says no
/// is tried again for ever, with pauses.
package final class Exchange: Sendable {
  private let wakeUp: WakeUp
  private let stopping = StopFlag()
  private let pulse = LoopLiveness()
  private let thread: SocketThread

  package init(
    _ settings: ExchangeSettings, in context: Context, handlers: ExchangeHandlers, log: Logger
  ) throws(ZeroMQError) {
    wakeUp = try WakeUp()
    let (wakeUp, stopping, pulse) = (wakeUp, stopping, pulse)
    thread = try SocketThread {
      ExchangeLoop(
        settings, in: context, handlers: handlers, wakeUp: wakeUp, stopping: stopping,
        pulse: pulse, log: log
      ).run()
      pulse.end()
    }
  }

  deinit { stop() }

  /// How late its loop is with its next turn.
  package var delay: Duration { pulse.delay }

  /// Something new waits in the store. From any thread.
  package func outgoingChanged() { wakeUp.signal() }

  /// Ends the connection; what was under way is carried on by the next exchange.
  package func stop() {
    stopping.set()
    wakeUp.signal()
    thread.join()
  }
}
