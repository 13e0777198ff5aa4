/// Moves sealed messages between our mailboxes and others', over one transport. All that a role knows of a transport.
///
/// What each conformance promises, and `CarrierConformanceTests` shows:
/// - A message is `delivered` only when the other side, or what stands between, has said that it is on its disk.
/// - What has come is acknowledged only after `CarrierPort.accept` has returned.
/// - A break costs what was under way: a large message goes on near the chunk where it was.
/// - A recipient that is offline, refused or over a quota holds up no other.
/// - Messages may come in any order, and more than once.
/// - Memory does not grow with a message's size, nor with what waits.
/// - What fails is tried again for ever, with growing and jittered pauses, and reported once.
package protocol Carrier: AnyObject, Sendable {
  /// The name by which people know it: an address, mostly.
  var place: String { get }

  /// Works until `stop`, on the thread that calls, and may block it. Throws only what trying again cannot mend.
  func run(_ port: CarrierPort) throws

  /// Something new waits in the store. From any thread.
  func outgoingChanged()

  /// Makes `run` return, also one that has not begun. What was under way is carried on by the next run. From any thread.
  func stop()

  /// How late its loop is with its next turn.
  var delay: Duration { get }
}
