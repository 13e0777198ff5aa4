import CZeroMQ
import Glibc
package import Threads

/// Waits for sockets, monitors and wake-ups together: the one place where an event loop sleeps.
///
/// Belongs to the thread of its sockets. Holds none of them open: one that has gone is never ready
/// again.
@safe package struct Poller: ~Copyable {
  package struct Interest: OptionSet, Hashable, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }

    package static let reading = Interest(rawValue: Int16(ZMQ_POLLIN))
    /// Of a router: some peer can be sent to.
    package static let writing = Interest(rawValue: Int16(ZMQ_POLLOUT))
  }

  /// What was added.
  package struct Entry: Hashable, Sendable {
    fileprivate let index: Int
  }

  private enum Source {
    case socket(WeakSocket)
    case wakeUp(WakeUp)
  }

  private struct WeakSocket {
    weak let handle: SocketHandle?
  }

  private var sources: [Source] = []
  private var items: [zmq_pollitem_t] = unsafe []

  package init() {}

  package mutating func add(_ socket: borrowing Socket, for interest: Interest) -> Entry {
    add(.socket(WeakSocket(handle: socket.handle)), interest)
  }

  package mutating func add(_ monitor: borrowing Monitor) -> Entry {
    add(monitor.events, for: .reading)
  }

  package mutating func add(_ wakeUp: WakeUp) -> Entry {
    add(.wakeUp(wakeUp), .reading)
  }

  private mutating func add(_ source: Source, _ interest: Interest) -> Entry {
    sources.append(source)
    var item = unsafe zmq_pollitem_t()
    unsafe item.events = interest.rawValue
    unsafe items.append(item)
    return Entry(index: sources.count - 1)
  }

  package mutating func setInterest(_ interest: Interest, of entry: Entry) {
    unsafe items[entry.index].events = interest.rawValue
  }

  /// Whether anything is ready; `false` when the deadline has come first.
  @discardableResult
  package mutating func wait(until deadline: Deadline) throws(ZeroMQError) -> Bool {
    while true {
      renewItems()
      let count = unsafe zmq_poll(&items, Int32(items.count), Int(deadline.remainingMilliseconds))
      if count > 0 { return true }
      if count < 0 && Libzmq.lastCode != EINTR { throw Libzmq.lastFailure(of: "zmq_poll") }
      if deadline.isPast {
        forgetReadiness()
        return false
      }
    }
  }

  /// As the last `wait` found it. A wake-up stays ready until it is cleared.
  package func readiness(of entry: Entry) -> Interest {
    let events = unsafe items[entry.index].revents
    // An error on a descriptor is for its reader to find.
    return events & Int16(ZMQ_POLLERR) == 0
      ? Interest(rawValue: events) : [Interest(rawValue: events), .reading]
  }

  private mutating func renewItems() {
    for index in sources.indices {
      switch sources[index] {
      case .socket(let socket):
        unsafe items[index].socket = unsafe socket.handle?.pointer
        // poll(2) passes over a negative descriptor.
        unsafe items[index].fd = -1
      case .wakeUp(let wakeUp): unsafe items[index].fd = wakeUp.readingEnd
      }
      unsafe items[index].revents = 0
    }
  }

  private mutating func forgetReadiness() {
    for index in sources.indices { unsafe items[index].revents = 0 }
  }
}
