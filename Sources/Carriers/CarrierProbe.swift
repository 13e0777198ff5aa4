package import MessageFormat
package import ZeroMQ

/// Asks a carrier whether it is there and would take something from us, and leaves nothing behind. Belongs to one thread.
package final class CarrierProbe {
  /// Of a message that nobody has: all probes are one unfinished deposit, and give it up again.
  private static let id: MessageID = {
    guard let id = MessageID(Array("distro doctor asks, sends nothing".utf8.prefix(32))) else {
      preconditionFailure("a message id has 32 bytes")
    }
    return id
  }()
  /// The smallest sealed message: what is asked for is whether, not how much.
  private static let size = SealedSize(chunkCount: 2, byteCount: 1_024)

  package let endpoint: String
  private let socket: Socket
  private let monitor: Monitor
  private var poller = Poller()

  /// Begins to connect; `server`: the transport key that must answer.
  package init(
    to endpoint: String, server: CurvePublicKey, as identity: TransportIdentity, in context: Context
  ) throws {
    self.endpoint = endpoint
    var options = SocketOptions()
    options.frameCountMax = 2
    options.linger = .zero
    socket = try identity.client(of: server, in: context, options: options)
    monitor = try Monitor(socket)
    _ = poller.add(socket, for: .reading)
    _ = poller.add(monitor)
    try socket.connect(endpoint)
  }

  /// Returns when the handshake has succeeded; throws `notReached` with the reason where it fails, or does not come to an
  /// end by the deadline.
  package func reach(by deadline: Deadline) throws {
    var isConnected = false
    while true {
      while let event = try monitor.next() {
        switch event.kind {
        case .handshakeSucceeded: return
        case .connected: isConnected = true
        case .handshakeFailed(.refused):
          throw CarrierError.notReached(endpoint: endpoint, reason: .refused)
        case .handshakeFailed:
          throw CarrierError.notReached(endpoint: endpoint, reason: .wrongServer)
        case .connectRetried where !isConnected:
          throw CarrierError.notReached(endpoint: endpoint, reason: .nobodyListens)
        default: break
        }
      }
      guard !deadline.isPast else {
        throw CarrierError.notReached(
          endpoint: endpoint, reason: isConnected ? .wrongServer : .unknown)
      }
      try poller.wait(until: deadline)
    }
  }

  /// Whether a message for this mailbox would be taken now: `nil`, or why not. Needs to have been reached.
  package func refusal(
    for mailbox: Mailbox, by deadline: Deadline
  ) throws -> (reason: CarrierRefusal, detail: String)? {
    let offer = DepositOffer(id: Self.id, mailboxes: [mailbox], size: Self.size)
    try send([CarrierRequest.deposit(offer).encoded()], by: deadline)
    switch try answer(by: deadline) {
    case .refused(let reason, let detail): return (reason, detail)
    case .stored: return nil
    case .proceed:
      // A chunk out of turn ends the deposit.
      let wrong = ChunkName(id: Self.id, index: Self.size.chunkCount - 1)
      try send([CarrierRequest.chunk(wrong).encoded(), [0]], by: deadline)
      _ = try answer(by: deadline)
      return nil
    }
  }

  private enum Answer {
    case proceed, stored
    case refused(CarrierRefusal, String)
  }

  private func send(_ frames: [[UInt8]], by deadline: Deadline) throws {
    while try socket.send(frames) != .sent {
      guard !deadline.isPast else { throw CarrierError.noAnswer(endpoint: endpoint) }
      try poller.wait(until: .earlier(deadline, .after(.milliseconds(20))))
      while try monitor.next() != nil {}
    }
  }

  /// The next answer to our offer.
  private func answer(by deadline: Deadline) throws -> Answer {
    while !deadline.isPast {
      if case .message(let frames, _) = try socket.receive() {
        switch try CarrierReply(decoding: frames[0].bytes) {
        case .proceed: return .proceed
        case .stored(Self.id): return .stored
        case .refused(Self.id, let reason, let detail): return .refused(reason, detail)
        default: continue
        }
      }
      try poller.wait(until: deadline)
      while try monitor.next() != nil {}
    }
    throw CarrierError.noAnswer(endpoint: endpoint)
  }
}
