import Carriers
import Mailboxes
package import MessageFormat
import Sealing
import Sodium
import Synchronization
import ZeroMQ

/// Hands what waits in the outbox to the carriers, each on a thread of its own, and collects the receipts.
package struct Delivery: Sendable {
  /// A receipt is a header and a statement: two chunks.
  private static let receiptByteCountMax = UInt64(2 * Limits.chunkByteCountMax)
  private static let turn: Duration = .seconds(1)

  private let settings: SignerSettings
  private let outbox: Outbox
  private let progress: SendProgress
  private let now: @Sendable () -> Timestamp

  /// What kept a carrier from taking or answering everything; the messages stay in the outbox.
  package struct Fault: Error, Sendable {
    package let endpoint: String
    package let description: String
    package let hint: String?
  }

  package init(
    _ settings: SignerSettings, outbox: Outbox, progress: SendProgress,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.settings = settings
    self.outbox = outbox
    self.progress = progress
    self.now = now
  }

  /// Deposits everything that waits, then waits until each of `messages` is answered. `patience` is how long a carrier
  /// may take to be reached, and, counted anew, how long the receipts may take.
  package func run(until messages: Set<MessageID>, patience: Duration) throws -> [Fault] {
    let context = try Context()
    let faults = FaultList()
    var threads: [SocketThread] = []
    for carrier in settings.carriers {
      let thread = try SocketThread { [self] in
        do {
          try serve(carrier, in: context, until: messages, patience)
        } catch {
          faults.append(Fault(carrier.endpoint, error))
        }
      }
      threads.append(thread)
    }
    for thread in threads { thread.join() }
    return faults.all
  }

  private func serve(
    _ carrier: SignerCarrier, in context: Context, until messages: Set<MessageID>,
    _ patience: Duration
  ) throws {
    // A carrier that is a recipient itself takes that one's messages.
    let mailbox = carrier.server.mailbox
    let waiting = try outbox.store.messages(in: mailbox, countMax: .max)
    guard try !waiting.isEmpty || hasUnanswered(messages, by: mailbox) else { return }
    let identity = settings.identity
    let transport = TransportIdentity(
      publicKey: try CurvePublicKey(identity.public.transportKey.bytes)
    ) { borrower in try identity.withTransportSecret(borrower) }
    let client = try CarrierClient(
      to: carrier.endpoint, server: CurvePublicKey(carrier.server.transportKey.bytes),
      as: transport, in: context)
    for message in waiting {
      do {
        try deposit(message, with: client, by: .after(patience))
      } catch let error as MailboxError {
        // Another run has handed it over meanwhile.
        guard try outbox.store.message(message.id, in: mailbox) == nil else { throw error }
      }
    }
    try collectReceipts(with: client, of: mailbox, until: messages, by: .after(patience))
  }

  /// In short turns, since another run may collect the receipt that we wait for.
  private func collectReceipts(
    with client: CarrierClient, of mailbox: Mailbox, until messages: Set<MessageID>,
    by deadline: Deadline
  ) throws {
    while try hasUnanswered(messages, by: mailbox), !deadline.isPast {
      do {
        let turn = Deadline.earlier(deadline, .after(Self.turn))
        guard let collected = try client.collect(byteCountMax: Self.receiptByteCountMax, by: turn)
        else { continue }
        try record(collected)
        try client.acknowledge(collected.entry, by: .after(Self.turn))
      } catch CarrierError.notReached(_, let reason) where reason != .refused && !deadline.isPast {
        // A connection that breaks is made again, as long as there is time.
        continue
      }
    }
  }

  private func hasUnanswered(_ messages: Set<MessageID>, by mailbox: Mailbox) throws -> Bool {
    let open = try outbox.unstored() + outbox.unanswered()
    return open.contains { $0.recipient == mailbox && messages.contains($0.id) }
  }

  private func deposit(
    _ message: StoredMessage, with client: CarrierClient, by deadline: Deadline
  ) throws {
    let result = try client.deposit(message, in: [message.mailbox], by: deadline) { done, total in
      progress.report(.sending, done: done, of: total)
    }
    switch result {
    case .stored: try outbox.markStored(message, at: now())
    case .refused(let reason, let detail):
      throw Fault(
        endpoint: client.endpoint, description: "refused to store: \(reason.rawValue): \(detail)",
        hint: nil)
    }
  }

  /// A receipt that is not one of a recipient of ours changes nothing.
  private func record(_ collected: Collected) throws {
    do {
      let receipt = try receipt(in: collected.chunks)
      _ = try outbox.record(receipt)
    } catch is SealingError {
      return
    } catch is FormatError {
      return
    }
  }

  private func receipt(in chunks: [[UInt8]]) throws -> Receipt {
    guard chunks.count == 2 else { throw SealingError.wrongPayload("a receipt has two chunks") }
    var unsealer = try Unsealer(header: chunks[0], for: settings.identity)
    let statement = try Statement(decoding: unsealer.open(chunks[1], isLast: true))
    let recipients = settings.repositories.flatMap(\.recipients)
    let (body, signer) = try statement.verified(type: Receipt.statementType, by: recipients)
    let receipt = try Receipt(decoding: body)
    guard receipt.applier == signer.mailbox, receipt.signer == settings.identity.public.mailbox
    else { throw SealingError.badSignature }
    return receipt
  }
}

extension Delivery.Fault {
  fileprivate init(_ endpoint: String, _ error: any Error) {
    switch error {
    case let fault as Delivery.Fault: self = fault
    case let error as CarrierError:
      self.init(endpoint: endpoint, description: error.description, hint: error.hint)
    default: self.init(endpoint: endpoint, description: "\(error)", hint: nil)
    }
  }
}

/// What several threads found.
private final class FaultList: Sendable {
  private let faults = Mutex<[Delivery.Fault]>([])

  var all: [Delivery.Fault] { faults.withLock { $0 } }

  func append(_ fault: Delivery.Fault) { faults.withLock { $0.append(fault) } }
}
