import CarrierProtocol
import MessageFormat
import Synchronization

/// Other rules for a listener that runs: for each of its doors, which peers are let in and what they may do.
struct ListenerUpdate: Sendable {
  let mailboxes: [Set<Mailbox>]
  let access: CarrierAccess
  let quotas: DepositQuotas
}

/// Where one thread leaves an update and another takes it; a newer one takes an older one's place.
final class UpdateBox: Sendable {
  private let update = Mutex<ListenerUpdate?>(nil)

  func put(_ new: ListenerUpdate) { update.withLock { $0 = new } }

  func take() -> ListenerUpdate? { update.withLock { $0.take() } }
}
