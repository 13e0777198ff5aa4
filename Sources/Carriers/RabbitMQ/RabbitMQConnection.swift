import CRabbitMQ
package import Threads

/// A connection to a broker, by AMQP 0-9-1: one channel that publishes with confirms, one that consumes. Belongs to one
/// thread. After an error it can only be closed.
@safe package final class RabbitMQConnection {
  package enum Event: Sendable {
    case confirmed(UInt64, includesEarlier: Bool)
    case refused(UInt64, includesEarlier: Bool)
    /// The broker had no queue for it. It confirms it none the less.
    case returned(UInt64, code: Int)
    /// `bytes`: `nil` where there are more than the limit.
    case delivery(UInt64, bytes: [UInt8]?)
    case blocked(String)
  }

  /// Of each wait for the broker's word.
  private static let timeoutSeconds: Int32 = 10
  private static let heartbeatSeconds: Int32 = 20
  /// A heartbeat that is due is sent by then.
  private static let turnMax: Duration = .seconds(5)

  private let handle: OpaquePointer
  private var isOpen = true
  private var publishedCount: UInt64 = 0

  /// Connects and logs in. `authorities`: a file in PEM form; `nil`: the system's. `byteCountMax`: of a message.
  package init(
    to address: RabbitMQAddress, at node: RabbitMQAddress.Node, password: String,
    authorities: String?, byteCountMax: Int
  ) throws(RabbitMQError) {
    var error = crabbitmq_error()
    let made = unsafe node.host.withCString { host in
      unsafe address.virtualHost.withCString { virtualHost in
        unsafe address.user.withCString { user in
          unsafe password.withCString { password in
            unsafe Self.withOptionalCString(authorities) { authorities in
              var place = unsafe crabbitmq_address(
                host: host, port: Int32(node.port), virtual_host: virtualHost, user: user,
                password: password, is_secured: address.isSecured, ca_file: authorities,
                heartbeat_seconds: Self.heartbeatSeconds, timeout_seconds: Self.timeoutSeconds,
                byte_count_max: byteCountMax)
              return unsafe crabbitmq_open(&place, &error)
            }
          }
        }
      }
    }
    guard let made = unsafe made else { throw RabbitMQError(error) }
    unsafe handle = unsafe made
  }

  private static func withOptionalCString<Value>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Value
  ) -> Value {
    guard let text else { return body(nil) }
    return unsafe text.withCString { unsafe body($0) }
  }

  deinit { close(inOrder: false) }

  /// `inOrder`: waits for the broker's word, which comes behind all that was said before.
  package func close(inOrder: Bool) {
    guard isOpen else { return }
    isOpen = false
    unsafe crabbitmq_close(handle, inOrder)
  }

  private func calling(
    _ call: (OpaquePointer, UnsafeMutablePointer<crabbitmq_error>) -> Bool
  ) throws(RabbitMQError) {
    precondition(isOpen, "a connection that is closed does nothing")
    var error = crabbitmq_error()
    guard unsafe call(handle, &error) else { throw RabbitMQError(error) }
  }

  // MARK: - Queues

  /// Where rejected messages go: the newest 1,000, 16 MiB at most, for a week.
  package func declareDead(_ name: String) throws(RabbitMQError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe crabbitmq_declare_dead(handle, $0, error) }
    }
  }

  /// A durable quorum queue, whose rejected messages go to `deadName`. Nothing happens where it is there; code 406: it is
  /// another one than that.
  package func declare(_ name: String, deadName: String) throws(RabbitMQError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { name in
        unsafe deadName.withCString { deadName in
          var queue = unsafe crabbitmq_queue(name: name, dead_name: deadName)
          return unsafe crabbitmq_declare(handle, &queue, error)
        }
      }
    }
  }

  /// How many messages wait in a queue; `nil`: the queue does not exist.
  package func waitingCount(in name: String) throws(RabbitMQError) -> UInt32? {
    var count: UInt32 = 0
    do {
      try unsafe calling { handle, error in
        unsafe name.withCString { unsafe crabbitmq_examine(handle, $0, &count, error) }
      }
    } catch {
      guard error.isMissing else { throw error }
      return nil
    }
    return count
  }

  package func delete(_ name: String) throws(RabbitMQError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe crabbitmq_delete(handle, $0, error) }
    }
  }

  package func purge(_ name: String) throws(RabbitMQError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe crabbitmq_purge(handle, $0, error) }
    }
  }

  // MARK: - Out

  package func beginPublishing() throws(RabbitMQError) {
    try unsafe calling { handle, error in unsafe crabbitmq_begin_publishing(handle, error) }
  }

  /// Persistent, and mandatory: a queue must be there. The first one has number 1.
  package func publish(
    _ bytes: [UInt8], to name: String, lifetime: Duration? = nil
  ) throws(RabbitMQError) {
    publishedCount += 1
    let number = publishedCount
    let milliseconds = lifetime.map { UInt64($0 / .milliseconds(1)) } ?? 0
    try unsafe calling { handle, error in
      unsafe name.withCString { name in
        unsafe crabbitmq_publish(
          handle, name, number, bytes, bytes.count, milliseconds, error)
      }
    }
  }

  // MARK: - In

  package func consume(_ name: String, prefetch: UInt16) throws(RabbitMQError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe crabbitmq_consume(handle, $0, prefetch, error) }
    }
  }

  /// What was delivered and not acknowledged is in the queue again.
  package func cancel() throws(RabbitMQError) {
    try unsafe calling { handle, error in unsafe crabbitmq_cancel(handle, error) }
  }

  package func acknowledge(_ delivery: UInt64) throws(RabbitMQError) {
    try unsafe calling { handle, error in unsafe crabbitmq_acknowledge(handle, delivery, error) }
  }

  package func reject(_ delivery: UInt64) throws(RabbitMQError) {
    try unsafe calling { handle, error in unsafe crabbitmq_reject(handle, delivery, error) }
  }

  /// `nil`: nothing happened until then, or `wakeUp` rang.
  package func next(
    until end: ContinuousClock.Instant, unless wakeUp: WakeUp
  ) throws(RabbitMQError) -> Event? {
    if let event = try next() { return event }
    guard end > .now else { return nil }
    wakeUp.wait(
      until: min(end, .now + Self.turnMax), reading: unsafe crabbitmq_descriptor(handle))
    return try next()
  }

  private func next() throws(RabbitMQError) -> Event? {
    precondition(isOpen, "a connection that is closed does nothing")
    var (event, error) = unsafe (crabbitmq_event(), crabbitmq_error())
    switch unsafe crabbitmq_next(handle, &event, &error) {
    case 0: return nil
    case 1: return unsafe Event(event)
    default: throw RabbitMQError(error)
    }
  }
}

extension RabbitMQConnection.Event {
  fileprivate init(_ event: crabbitmq_event) {
    let number = unsafe event.number
    switch unsafe event.kind {
    case crabbitmq_confirmed:
      self = unsafe .confirmed(number, includesEarlier: event.includes_earlier)
    case crabbitmq_refused: self = unsafe .refused(number, includesEarlier: event.includes_earlier)
    case crabbitmq_returned: self = unsafe .returned(number, code: Int(event.code))
    case crabbitmq_blocked: self = unsafe .blocked(String(terminatedIn: event.text))
    default:
      let bytes = unsafe event.bytes.map { pointer in
        unsafe [UInt8](UnsafeBufferPointer(start: pointer, count: event.count))
      }
      self = .delivery(number, bytes: bytes)
    }
  }
}

extension RabbitMQError {
  fileprivate init(_ error: crabbitmq_error) {
    let (code, reason) = (Int(error.code), String(terminatedIn: error.text))
    switch error.fault {
    case crabbitmq_unreachable: self = .unreachable(reason: reason)
    case crabbitmq_tls: self = .certificate(reason: reason)
    case crabbitmq_login: self = .login(code: code, reason: reason)
    case crabbitmq_closed_by_broker: self = .closed(code: code, reason: reason)
    case crabbitmq_line: self = .line(reason: reason)
    default: self = .outOfMemory
    }
  }
}

extension String {
  /// Of an array of C's with a zero in it; what a broker says is shown without control characters.
  fileprivate init<Characters>(terminatedIn characters: Characters) {
    self = unsafe withUnsafeBytes(of: characters) { bytes in
      let text = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return String(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
    }
  }
}
