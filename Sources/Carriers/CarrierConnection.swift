import Machine
import MessageFormat
import ZeroMQ

/// A socket to a carrier, and what is known of its connection. Belongs to one thread.
final class CarrierConnection {
  /// What came next.
  enum Event {
    case connected
    /// The connection has ended; libzmq makes another by itself.
    case interrupted
    /// The other side says no, and will say it until something changes: libzmq does not try again.
    case turnedAway
    case reply(CarrierReply, chunk: [UInt8]?)
  }

  private let endpoint: String
  private let socket: Socket
  private let monitor: Monitor
  private var poller = Poller()
  private let entry: Poller.Entry
  private var isConnected = false
  private(set) var failure: CarrierError.UnreachedReason = .unknown

  /// Begins to connect.
  init(
    _ settings: ExchangeSettings, in context: Context, wakeUp: WakeUp
  ) throws(CarrierError) {
    endpoint = settings.endpoint
    do {
      var options = SocketOptions()
      options.frameCountMax = 2
      options.reconnectDelayMax = .seconds(2)
      socket = try settings.identity.client(of: settings.server, in: context, options: options)
      monitor = try Monitor(socket)
      entry = poller.add(socket, for: .reading)
      _ = poller.add(monitor)
      _ = poller.add(wakeUp)
      try socket.connect(settings.endpoint)
    } catch {
      throw .faulty(endpoint: settings.endpoint, error)
    }
  }

  /// `false`: not now; `wait` with `untilWritable` tells when.
  func send(_ step: Depositing.Step) throws(ZeroMQError) -> Bool {
    try socket.send([step.request.encoded()] + (step.chunk.map { [$0] } ?? [])) == .sent
  }

  func wait(
    until deadline: Deadline, untilWritable: Bool, _ pulse: Pulse
  ) throws(ZeroMQError) {
    poller.setInterest(untilWritable ? [.reading, .writing] : .reading, of: entry)
    try poller.wait(until: deadline, pulse)
  }

  /// `nil`: nothing more for now.
  func next() throws -> Event? {
    while let event = try monitor.next() {
      if let event = note(event.kind) {
        // What the broken connection still brought answers nothing that is asked again.
        if case .interrupted = event { while try receive() != nil {} }
        return event
      }
    }
    return try receive()
  }

  private func note(_ kind: MonitorEvent.Kind) -> Event? {
    switch kind {
    case .handshakeSucceeded:
      isConnected = true
      return .connected
    case .disconnected:
      defer { isConnected = false }
      return isConnected ? .interrupted : nil
    case .connectRetried:
      if failure == .unknown { failure = .nobodyListens }
    case .handshakeFailed(.refused):
      failure = .refused
      return .turnedAway
    case .handshakeFailed(.protocolBroken):
      failure = .wrongServer
      return .turnedAway
    case .handshakeFailed(.noDetail):
      failure = .wrongServer
    default: break
    }
    return nil
  }

  private func receive() throws -> Event? {
    guard let received = try socket.receive() else { return nil }
    guard case .message(let frames, _) = received else {
      throw CarrierError.unexpectedAnswer(endpoint: endpoint, "too many frames")
    }
    do throws(FormatError) {
      let reply = try CarrierReply(decoding: frames[0].bytes)
      return .reply(reply, chunk: frames.count > 1 ? frames[1].bytes : nil)
    } catch {
      throw CarrierError.unexpectedAnswer(endpoint: endpoint, "\(error)")
    }
  }
}
