package import MessageFormat

/// What the relay protocol needs of a transport: one line to the keeper of our mailbox, over which requests go and replies
/// come. Belongs to one thread, but for what wakes it.
package protocol CarrierLink: AnyObject {
  /// As reports name it: with the address that is being tried.
  var place: String { get }
  /// There are addresses that were not tried since there was a connection, or since all were.
  var hasMoreAddresses: Bool { get }
  /// Why there is no connection, as far as that is known.
  var failure: CarrierError.UnreachedReason { get }

  /// Begins to connect anew, to the next address.
  func connect() throws(CarrierError)
  /// Ends what there is of a connection.
  func disconnect()

  /// `false`: not now; `wait` with `untilWritable` tells when.
  func send(_ request: CarrierRequest, chunk: [UInt8]?) throws -> Bool
  /// `nil`: nothing more for now.
  func next() throws -> LinkEvent?
  /// Until something comes, or somebody wakes it, or the time has come.
  func wait(until end: ContinuousClock.Instant, untilWritable: Bool) throws
  /// Whether somebody has woken it since it was last asked.
  func takeWakeUp() -> Bool
}

/// What came next over a link.
package enum LinkEvent {
  case connected
  /// The connection has ended; the transport makes another by itself.
  case interrupted
  /// The other side refuses until something changes; or nothing listens at this address, and there are others.
  /// The transport does not try again.
  case turnedAway
  case reply(CarrierReply, chunk: [UInt8]?)
}
