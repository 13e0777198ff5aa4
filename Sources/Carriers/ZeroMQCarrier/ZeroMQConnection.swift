import CarrierProtocol
import Host
import MessageFormat
import Threads
import ZeroMQ

/// A socket to a carrier, and what is known of its connection. Belongs to one thread.
final class ZeroMQConnection {
  private let endpoint: String
  private let socket: Socket
  private let monitor: Monitor
  private var poller = Poller()
  private let entry: Poller.Entry
  /// Another address waits for its turn: libzmq need not try this one again.
  private let hasOthers: Bool
  private var isConnected = false
  /// The next event says that libzmq connects again, not that it could not.
  private var hasEnded = false
  private(set) var failure: CarrierError.UnreachedReason = .unknown

  /// Begins to connect.
  init(
    to turn: AddressRotation.Turn, of server: CurvePublicKey, as identity: TransportIdentity,
    in context: Context, wakeUp: WakeUp
  ) throws(CarrierError) {
    endpoint = turn.address.description
    hasOthers = !turn.isOnly
    do {
      var options = SocketOptions()
      options.frameCountMax = 2
      options.reconnectDelayMax = .seconds(2)
      if hasOthers { options.connectTimeout = .seconds(3) }
      socket = try identity.client(of: server, in: context, options: options)
      monitor = try Monitor(socket)
      entry = poller.add(socket, for: .reading)
      _ = poller.add(monitor)
      _ = poller.add(wakeUp)
      try socket.connect(turn.address.address)
    } catch {
      throw .faulty(endpoint: turn.address.description, error)
    }
  }

  /// `false`: not now; `wait` with `untilWritable` tells when.
  func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> Bool { try socket.send(frames) == .sent }

  func wait(
    until deadline: Deadline, untilWritable: Bool, _ liveness: LoopLiveness
  ) throws(ZeroMQError) {
    poller.setInterest(untilWritable ? [.reading, .writing] : .reading, of: entry)
    try poller.wait(until: deadline, liveness)
  }

  /// `nil`: nothing more for now.
  func next() throws -> LinkEvent? {
    while let event = try monitor.next() {
      if let event = note(event.kind) {
        // What the broken connection still brought answers nothing that is asked again.
        if case .interrupted = event { while try receive() != nil {} }
        return event
      }
    }
    return try receive()
  }

  private func note(_ kind: MonitorEvent.Kind) -> LinkEvent? {
    switch kind {
    case .handshakeSucceeded:
      isConnected = true
      return .connected
    case .disconnected:
      defer { (isConnected, hasEnded) = (false, isConnected) }
      return isConnected ? .interrupted : nil
    case .connectRetried:
      if failure == .unknown { failure = .nobodyListens }
      defer { hasEnded = false }
      return hasOthers && !hasEnded ? .turnedAway : nil
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

  private func receive() throws -> LinkEvent? {
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
