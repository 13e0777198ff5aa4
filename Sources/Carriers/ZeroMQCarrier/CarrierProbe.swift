import CarrierProtocol
package import MessageFormat
package import Sodium
import ZeroMQ

/// Asks a carrier whether it is there and would take something from us, and leaves nothing behind. Belongs to one thread.
package final class CarrierProbe {
  /// Of a message that does not exist: all probes are one unfinished deposit, and give it up again.
  private static let id: MessageID = {
    guard let id = MessageID(Array("distro doctor asks, sends nothing".utf8.prefix(32))) else {
      preconditionFailure("a message id has 32 bytes")
    }
    return id
  }()
  /// The smallest sealed message: what is asked for is whether, not how much.
  private static let size = SealedSize(chunkCount: 2, byteCount: 1_024)

  package let endpoint: String
  private let server: CurvePublicKey
  private let identity: TransportIdentity
  private let context: Context
  private let addresses: [ResolvedEndpoint]
  private var line: ProbeLine?

  /// `server`: the identity that must answer.
  package init(to endpoint: String, of server: PublicIdentity, as identity: Identity) throws {
    self.endpoint = endpoint
    self.server = CurvePublicKey(of: server)
    self.identity = TransportIdentity(identity)
    context = try Context()
    addresses = try ResolvedEndpoint.all(of: endpoint)
  }

  /// Returns when the handshake has succeeded, with one of the addresses; throws `notReached` with the reason where it
  /// fails with all of them, or does not come to an end in this time with any.
  package func reach(within duration: Duration) throws {
    var failure: CarrierError?
    for address in addresses {
      let line = try ProbeLine(to: address, server: server, as: identity, in: context)
      do {
        try line.reach(by: .after(duration))
        self.line = line
        return
      } catch let error as CarrierError {
        // An answer at one address says more than silence at the others.
        failure = failure.map { $0.isAnswer ? $0 : error } ?? error
      }
    }
    if let failure { throw failure }
  }

  /// Whether a message for this mailbox would be taken now: `nil`, or why not. Needs to have been reached.
  package func refusal(
    for mailbox: Mailbox, within duration: Duration
  ) throws -> (reason: CarrierRefusal, detail: String)? {
    let deadline = Deadline.after(duration)
    guard let line else { preconditionFailure("the carrier was reached") }
    let offer = DepositOffer(id: Self.id, mailboxes: [mailbox], size: Self.size)
    try line.send([CarrierRequest.deposit(offer).encoded()], by: deadline)
    switch try line.answer(by: deadline, Answer.init) {
    case .refused(let reason, let detail): return (reason, detail)
    case .stored: return nil
    case .proceed:
      // A chunk out of turn ends the deposit.
      let wrong = ChunkName(id: Self.id, index: Self.size.chunkCount - 1)
      try line.send([CarrierRequest.chunk(wrong).encoded(), [0]], by: deadline)
      _ = try line.answer(by: deadline, Answer.init)
      return nil
    }
  }

  /// To our offer.
  private enum Answer {
    case proceed, stored
    case refused(CarrierRefusal, String)

    init?(_ reply: CarrierReply) {
      switch reply {
      case .proceed: self = .proceed
      case .stored(CarrierProbe.id): self = .stored
      case .refused(CarrierProbe.id, let reason, _, let detail): self = .refused(reason, detail)
      default: return nil
      }
    }
  }
}

extension CarrierError {
  fileprivate var isAnswer: Bool {
    switch self {
    case .notReached(_, .refused), .notReached(_, .wrongServer): true
    default: false
    }
  }
}
