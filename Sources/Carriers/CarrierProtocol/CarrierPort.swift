package import Logging
package import Mailboxes
package import MessageFormat

/// What a carrier may do with our side. All closures are called on a thread of the carrier's; none may wait for it.
package struct CarrierPort: Sendable {
  /// Ours: the carrier empties it at the other side.
  package let mailbox: Mailbox
  /// The mailboxes whose messages this carrier takes, and whose owners may send to us.
  package let correspondents: Set<Mailbox>
  /// Where messages lie here, in both directions.
  package let store: MailboxStore
  /// Of one message for us; what is larger is dropped unread.
  package let byteCountMax: UInt64
  /// What is over it waits at the carrier.
  package let inboxMax: InboxLimit
  package let log: Logger
  /// Which of our messages it may take, where other carriers lead to the same mailboxes.
  package var turn = FailoverTurn.only
  /// The wall clock, for what is written down.
  package let now: @Sendable () -> Timestamp

  /// Makes messages durable: acknowledged when it returns, collected again when it throws.
  package var accept: @Sendable ([MessageWriter]) throws -> Void
  /// A carrier that writes into the store itself, as its peers ask for, has written something.
  package var arrived: @Sendable () -> Void
  /// The other side has these on its disk, each for those mailboxes. Called for many at once, as each call may be a step
  /// of the disk's.
  package var delivered: @Sendable ([WaitingMessage]) throws -> Void
  /// The other side does not take it for that mailbox; it is tried again.
  package var refused: @Sendable (RefusedMessage) -> Void = { _ in }
  /// The other side has said that nothing more waits there for us.
  package var emptied: @Sendable () -> Void = {}
  package var stateChanged: @Sendable (CarrierState) -> Void = { _ in }
  /// A step of a message on its way out to these, in chunks.
  package var moved: @Sendable ([Mailbox], _ done: UInt32, _ total: UInt32) -> Void = { _, _, _ in
  }

  /// Accepts what comes by storing it, and removes what was delivered; `arrived` is called after the first.
  package init(
    mailbox: Mailbox, correspondents: Set<Mailbox>, store: MailboxStore, byteCountMax: UInt64,
    inboxMax: InboxLimit = InboxLimit(), log: Logger, now: @escaping @Sendable () -> Timestamp,
    arrived: @escaping @Sendable () -> Void = {}
  ) {
    (self.mailbox, self.correspondents, self.store) = (mailbox, correspondents, store)
    (self.byteCountMax, self.inboxMax) = (byteCountMax, inboxMax)
    (self.log, self.now, self.arrived) = (log, now, arrived)
    accept = { messages in
      try store.commit(messages, at: now())
      arrived()
    }
    delivered = { try store.remove($0) }
  }
}

/// How much may wait in an inbox: a carrier that sends without end must not fill the disk.
package struct InboxLimit: Sendable {
  package var byteCount: UInt64 = Limits.inboxByteCountMax
  package var messageCount: UInt64 = Limits.inboxMessageCountMax

  package init() {}
}

/// A message that the other side does not take for one mailbox.
package struct RefusedMessage: Sendable {
  package let message: MessageID
  package let mailbox: Mailbox
  package let reason: CarrierRefusal
  package let detail: String

  package init(message: MessageID, mailbox: Mailbox, reason: CarrierRefusal, detail: String) {
    (self.message, self.mailbox, self.reason, self.detail) = (message, mailbox, reason, detail)
  }
}

/// A carrier's connection.
package enum CarrierState: Sendable {
  case connecting
  case connected
  /// There is no connection; tried again after a while, for ever.
  case failed(CarrierError)
}

extension CarrierPort {
  /// Whether a message that would come fits: below the inbox's limit, and on the disk. What does not is left where it is.
  package func hasRoom(for message: MessageWriter) throws -> Bool {
    try excess(of: message, besides: []) == nil
  }

  /// Why a message would not fit, besides others that are under way; `nil`: it does.
  package func excess(
    of message: MessageWriter, besides others: [SealedSize]
  ) throws(ExchangeFault) -> String? {
    do throws(ExchangeFault) {
      try InboxCapacity(self).require(for: message, besides: others)
      return nil
    } catch .full(let what) {
      return what
    } catch {
      throw error
    }
  }
}
