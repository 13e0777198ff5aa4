import CNATS

/// A connection to a server. Belongs to one thread.
@safe package final class NATSConnection {
  package enum Event: Sendable {
    /// This publication is stored.
    case confirmed(UInt64)
    case rejected(UInt64, Rejection, reason: String)
    case delivery(NATSDelivery)
    /// What the server says of a pull: 100 is a heartbeat.
    case status(Int, reason: String)
    /// The user may not publish or subscribe to what the text names.
    case violation(String)
    case closed(reason: String)
  }

  package enum Rejection: Sendable, Equatable {
    case noStream
    /// No word of it in time.
    case noConfirm
    /// JetStream's own, 0: none.
    case code(Int)
  }

  private static let timeoutMilliseconds: Int64 = 4_000

  let handle: OpaquePointer
  /// What it is told waits there.
  private let events: NATSEvents
  private var isOpen = true

  /// `authorities`: a file in PEM form, besides the system's. `inbox`: where answers to us come, and below.
  /// `byteCountMax`: of a message.
  package init(
    to address: NATSAddress, _ login: NATSLogin, authorities: String?, inbox: String,
    byteCountMax: Int, _ events: NATSEvents
  ) throws(NATSError) {
    self.events = events
    var error = cnats_error()
    var (path, user, password): (String?, String?, String?)
    switch login {
    case .none: break
    case .credentials(let file): path = file
    case .user(let name, let word): (user, password) = (name, word)
    }
    let texts = [address.description, address.host, authorities, path, user, password, inbox]
    let made = unsafe Self.withCStrings(texts) { texts in
      var place = unsafe cnats_address(
        url: texts[0], host: texts[1], is_secured: address.isSecured, ca_file: texts[2],
        credentials_file: texts[3], user: texts[4], password: texts[5], inbox_prefix: texts[6],
        timeout_milliseconds: Self.timeoutMilliseconds, byte_count_max: byteCountMax)
      return unsafe cnats_open(&place, events.handle, &error)
    }
    guard let made = unsafe made else { throw NATSError(error) }
    unsafe handle = unsafe made
  }

  static func withCStrings<Value>(
    _ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Value
  ) -> Value {
    func add(_ pointers: [UnsafePointer<CChar>?]) -> Value {
      guard unsafe pointers.count < texts.count else { return unsafe body(pointers) }
      guard let text = unsafe texts[pointers.count] else { return unsafe add(pointers + [nil]) }
      return unsafe text.withCString { unsafe add(pointers + [$0]) }
    }
    return unsafe add([])
  }

  deinit { close(inOrder: false) }

  /// `inOrder`: what was said before reaches the server.
  package func close(inOrder: Bool) {
    guard isOpen else { return }
    isOpen = false
    unsafe cnats_close(handle, inOrder)
  }

  func calling(
    _ call: (OpaquePointer, UnsafeMutablePointer<cnats_error>) -> Bool
  ) throws(NATSError) {
    precondition(isOpen, "a connection that is closed does nothing")
    var error = cnats_error()
    guard unsafe call(handle, &error) else { throw NATSError(error) }
  }

  /// The greatest message that the server takes, with its headers.
  package var payloadByteCountMax: Int { Int(unsafe cnats_payload_max(handle)) }

  /// Returns when the server has what was said before.
  package func flush() throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe cnats_flush(handle, Self.timeoutMilliseconds, error)
    }
  }

  // MARK: - What happens

  /// `nil`: nothing happened until then, or `NATSEvents` rang.
  package func next(until end: ContinuousClock.Instant) -> Event? {
    precondition(isOpen, "a connection that is closed does nothing")
    var event = unsafe cnats_event()
    let isThere = unsafe cnats_next(handle, NATSEvents.milliseconds(until: end), &event)
    return isThere ? unsafe Event(event) : nil
  }

  /// What comes to `inbox` are events from now on; what comes to an earlier one are none.
  package func listen(at inbox: String) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe inbox.withCString { unsafe cnats_listen(handle, $0, error) }
    }
  }

  package func endListening() { unsafe cnats_end_listening(handle) }

  /// Of what comes as a status or a delivery to `inbox`.
  package func ask(_ text: String, at subject: String, answerTo inbox: String) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe subject.withCString { subject in
        unsafe inbox.withCString { inbox in
          unsafe text.withCString { unsafe cnats_ask(handle, subject, inbox, $0, error) }
        }
      }
    }
  }

  /// Without an answer.
  package func say(_ text: String, at subject: String) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe subject.withCString { subject in
        unsafe text.withCString { unsafe cnats_say(handle, subject, $0, error) }
      }
    }
  }
}

extension NATSConnection.Event {
  fileprivate init(_ event: cnats_event) {
    let (number, code, text) = unsafe (
      event.number, Int(event.code), String(terminatedIn: event.text)
    )
    switch unsafe event.kind {
    case cnats_confirmed: self = .confirmed(number)
    case cnats_rejected:
      let rejection: NATSConnection.Rejection =
        switch UInt32(code) {
        case cnats_no_responder.rawValue: .noStream
        case cnats_no_confirm.rawValue: .noConfirm
        case cnats_other_reason.rawValue: .code(0)
        default: .code(code)
        }
      self = .rejected(number, rejection, reason: text)
    case cnats_status: self = .status(code, reason: text)
    case cnats_violation: self = .violation(text)
    case cnats_closed: self = .closed(reason: text)
    default:
      let bytes = unsafe event.bytes.map { pointer in
        unsafe [UInt8](UnsafeBufferPointer(start: pointer, count: event.count))
      }
      let reply = unsafe event.reply.map { unsafe String(cString: $0) }
      self = .delivery(NATSDelivery(bytes: bytes, reply: reply ?? ""))
    }
  }
}

extension NATSError {
  init(_ error: cnats_error) {
    let (code, reason) = (Int(error.code), String(terminatedIn: error.text))
    switch error.fault {
    case cnats_not_loaded: self = .libraryMissing(reason: reason)
    case cnats_unreachable: self = .unreachable(reason: reason)
    case cnats_tls: self = .certificate(reason: reason)
    case cnats_login: self = .login(reason: reason)
    case cnats_denied: self = .denied(reason: reason)
    case cnats_refusal: self = .refused(code: code, reason: reason)
    case cnats_line: self = .line(reason: reason)
    default: self = .outOfMemory
    }
  }
}

extension String {
  /// Of an array of C's with a zero in it; what a server says is shown without control characters.
  fileprivate init<Characters>(terminatedIn characters: Characters) {
    self = unsafe withUnsafeBytes(of: characters) { bytes in
      let text = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return String(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
    }
  }
}
