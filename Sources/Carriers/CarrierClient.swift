import Mailboxes
import MessageFormat
package import ZeroMQ

/// A connection to a carrier: made again when it breaks, on the same socket. Belongs to one thread.
package final class CarrierClient {
  /// Connected, but silent for so long: the request is repeated.
  static let answerTimeout: Duration = .seconds(10)
  /// A deposit in which nothing moves for so long has failed; one that moves may take any time.
  static let progressTimeout: Duration = .seconds(30)

  package let endpoint: String
  private let socket: Socket
  private let monitor: Monitor
  private var poller = Poller()
  private var isConnected = false
  /// Connections that broke, and how many of them `next` has told of.
  private var breaks = (count: 0, told: 0)
  private var isTurnedAway = false
  private var lastFailure: CarrierError.UnreachedReason?

  /// What came next: an answer, or that everything asked so far is to be asked again.
  enum Event {
    case reply(CarrierReply, chunk: [UInt8]?)
    case interrupted
  }

  /// Begins to connect; `server`: the transport key that must answer.
  package init(
    to endpoint: String, server: CurvePublicKey, as identity: TransportIdentity, in context: Context
  ) throws(CarrierError) {
    self.endpoint = endpoint
    do {
      var options = SocketOptions()
      options.frameCountMax = 2
      options.reconnectDelayMax = .seconds(2)
      socket = try identity.client(of: server, in: context, options: options)
      monitor = try Monitor(socket)
      _ = poller.add(socket, for: .reading)
      _ = poller.add(monitor)
      try socket.connect(endpoint)
    } catch {
      throw .faulty(endpoint: endpoint, error)
    }
  }

  /// Sends when there is a connection; throws `notReached` when there is none up to the deadline, and at once where the
  /// other side says no: it goes on saying it until its list changes. The next call tries again.
  func send(
    _ request: CarrierRequest, chunk: [UInt8]? = nil, by deadline: Deadline
  ) throws(CarrierError) {
    let frames = [request.encoded()] + (chunk.map { [$0] } ?? [])
    while try faulting({ () throws(ZeroMQError) in try socket.send(frames) }) != .sent {
      if isTurnedAway { try turnBack() }
      guard !deadline.isPast else { throw unreached }
      try waitForChange(until: .earlier(deadline, .after(.milliseconds(20))))
    }
  }

  /// After such a failure libzmq does not try again by itself.
  private func turnBack() throws(CarrierError) {
    let failure = unreached
    try faulting { () throws(ZeroMQError) in
      try socket.disconnect(endpoint)
      try socket.connect(endpoint)
    }
    (isTurnedAway, lastFailure) = (false, nil)
    throw failure
  }

  /// The next thing that happens; throws when nothing does up to the deadline.
  func next(by deadline: Deadline) throws(CarrierError) -> Event {
    let silence = Deadline.after(Self.answerTimeout)
    while true {
      if breaks.told != breaks.count {
        breaks.told = breaks.count
        // What the broken connection still brought answers nothing that is asked again.
        while try receive() != nil {}
        return .interrupted
      }
      // First, or a carrier that goes on and on with anything would keep us for ever.
      guard !deadline.isPast else {
        throw isConnected ? .noAnswer(endpoint: endpoint) : unreached
      }
      if let reply = try receive() { return reply }
      try waitForChange(until: .earlier(deadline, silence))
      if silence.isPast && !deadline.isPast { return .interrupted }
    }
  }

  private func receive() throws(CarrierError) -> Event? {
    guard let received = try faulting({ () throws(ZeroMQError) in try socket.receive() }) else {
      return nil
    }
    guard case .message(let frames, _) = received else {
      throw .unexpectedAnswer(endpoint: endpoint, "too many frames")
    }
    do throws(FormatError) {
      let reply = try CarrierReply(decoding: frames[0].bytes)
      return .reply(reply, chunk: frames.count > 1 ? frames[1].bytes : nil)
    } catch {
      throw .unexpectedAnswer(endpoint: endpoint, "\(error)")
    }
  }

  private func waitForChange(until deadline: Deadline) throws(CarrierError) {
    try faulting { () throws(ZeroMQError) in
      try poller.wait(until: deadline)
      while let event = try monitor.next() { try note(event) }
    }
  }

  private func note(_ event: MonitorEvent) throws(ZeroMQError) {
    switch event.kind {
    case .handshakeSucceeded:
      isConnected = true
      lastFailure = nil
    case .disconnected:
      if isConnected { breaks.count += 1 }
      isConnected = false
    case .connectRetried where lastFailure == nil:
      lastFailure = .nobodyListens
    case .handshakeFailed(.refused):
      (isTurnedAway, lastFailure) = (true, .refused)
    case .handshakeFailed(.protocolBroken):
      (isTurnedAway, lastFailure) = (true, .wrongServer)
    case .handshakeFailed(.noDetail):
      lastFailure = .wrongServer
    default: break
    }
  }

  private var unreached: CarrierError {
    .notReached(endpoint: endpoint, reason: lastFailure ?? .unknown)
  }

  private func faulting<Value>(
    _ body: () throws(ZeroMQError) -> Value
  ) throws(CarrierError) -> Value {
    do { return try body() } catch { throw .faulty(endpoint: endpoint, error) }
  }
}
