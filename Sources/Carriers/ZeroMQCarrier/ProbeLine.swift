import CarrierProtocol
import MessageFormat
import ZeroMQ

/// A probe's socket to one address of a carrier. Belongs to one thread.
final class ProbeLine {
  private let endpoint: String
  private let socket: Socket
  private let monitor: Monitor
  private var poller = Poller()

  /// Begins to connect.
  init(
    to endpoint: ResolvedEndpoint, server: CurvePublicKey, as identity: TransportIdentity,
    in context: Context
  ) throws {
    self.endpoint = endpoint.description
    var options = SocketOptions()
    options.frameCountMax = 2
    options.linger = .zero
    socket = try identity.client(of: server, in: context, options: options)
    monitor = try Monitor(socket)
    _ = poller.add(socket, for: .reading)
    _ = poller.add(monitor)
    try socket.connect(endpoint.address)
  }

  func reach(by deadline: Deadline) throws {
    var isConnected = false
    while true {
      while let event = try monitor.next() {
        switch event.kind {
        case .handshakeSucceeded: return
        case .connected: isConnected = true
        case .handshakeFailed(.refused): throw notReached(.refused)
        case .handshakeFailed: throw notReached(.wrongServer)
        case .connectRetried where !isConnected: throw notReached(.nobodyListens)
        default: break
        }
      }
      guard !deadline.isPast else { throw notReached(isConnected ? .wrongServer : .unknown) }
      try poller.wait(until: deadline)
    }
  }

  private func notReached(_ reason: CarrierError.UnreachedReason) -> CarrierError {
    .notReached(endpoint: endpoint, reason: reason)
  }

  func send(_ frames: [[UInt8]], by deadline: Deadline) throws {
    let begin = ContinuousClock.now
    while try socket.send(frames) != .sent {
      guard !deadline.isPast else { throw silence(since: begin) }
      try poller.wait(until: .earlier(deadline, .after(.milliseconds(20))))
      while try monitor.next() != nil {}
    }
  }

  /// The next of the carrier's answers that `choose` takes.
  func answer<Answer>(
    by deadline: Deadline, _ choose: (CarrierReply) -> Answer?
  ) throws -> Answer {
    let begin = ContinuousClock.now
    while !deadline.isPast {
      if case .message(let frames, _) = try socket.receive() {
        if let answer = choose(try CarrierReply(decoding: frames[0].bytes)) { return answer }
        continue
      }
      try poller.wait(until: deadline)
      while try monitor.next() != nil {}
    }
    throw silence(since: begin)
  }

  private func silence(since begin: ContinuousClock.Instant) -> CarrierError {
    let waited = ContinuousClock.now - begin
    return .noAnswer(endpoint: endpoint, within: .seconds(waited.components.seconds))
  }
}
