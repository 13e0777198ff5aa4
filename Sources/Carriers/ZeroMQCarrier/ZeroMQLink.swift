import CarrierProtocol
import Host
import MessageFormat
import Sodium
import Threads
import ZeroMQ

/// The client's end of the relay protocol over CurveZMQ: a new socket for each attempt, to the next address of the name.
final class ZeroMQLink: CarrierLink {
  private let identity: TransportIdentity
  private let server: CurvePublicKey
  private let context: Context
  private let wakeUp: WakeUp
  private let liveness: LoopLiveness
  private var addresses: AddressRotation
  private var connection: ZeroMQConnection?

  init(
    to endpoint: String, of server: CurvePublicKey, as identity: TransportIdentity,
    in context: Context, wakeUp: WakeUp, liveness: LoopLiveness
  ) {
    (self.identity, self.server, self.context) = (identity, server, context)
    (self.wakeUp, self.liveness) = (wakeUp, liveness)
    addresses = AddressRotation(endpoint)
  }

  var place: String { addresses.description }

  var hasMoreAddresses: Bool { addresses.hasMore }

  var failure: CarrierError.UnreachedReason { connection?.failure ?? .unknown }

  func connect() throws(CarrierError) {
    connection = nil
    connection = try ZeroMQConnection(
      to: addresses.next(), of: server, as: identity, in: context, wakeUp: wakeUp)
  }

  func disconnect() { connection = nil }

  func send(_ request: CarrierRequest, chunk: [UInt8]?) throws -> Bool {
    try connection?.send([request.encoded()] + (chunk.map { [$0] } ?? [])) ?? false
  }

  func next() throws -> LinkEvent? {
    let event = try connection?.next()
    if case .connected = event { addresses.connected() }
    return event
  }

  func wait(until end: ContinuousClock.Instant, untilWritable: Bool) throws {
    if let connection {
      return try connection.wait(until: .at(end), untilWritable: untilWritable, liveness)
    }
    var poller = Poller()
    _ = poller.add(wakeUp)
    try poller.wait(until: .at(end), liveness)
  }

  func takeWakeUp() -> Bool { wakeUp.clear() }
}
