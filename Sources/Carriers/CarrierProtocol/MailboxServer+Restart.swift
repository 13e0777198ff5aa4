package import Mailboxes
import MessageFormat

// MARK: - Deposits that outlive the program

extension MailboxServer {
  func discardEndedDeposits() throws(MailboxError) {
    try store.discard(deposits.ended)
    deposits.ended = []
  }

  /// Those that an earlier run of the program kept, and that may still be made, are under way again, as over a connection
  /// that has broken. Their idle time counts from now: no depositor could go on with them while there was no carrier.
  func resumeDeposits() throws(MailboxError) {
    for message in try store.unfinished() {
      let (offer, depositor) = (message.offer, message.depositor)
      guard deposits[OpenDeposits.Key(depositor: depositor, id: offer.id)] == nil,
        access.denial(of: offer, from: depositor) == nil
      else {
        deposits.ended.append(message)
        continue
      }
      deposits.begin(message, from: Peer(routingID: [], mailbox: depositor), at: clock())
    }
    try discardEndedDeposits()
  }

  /// The program ends: the deposits that are under way go on where they are when it is back.
  package func keepDeposits() throws(MailboxError) {
    for message in deposits.messages { try message.keep() }
  }
}
