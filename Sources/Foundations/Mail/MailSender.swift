import CCurl
import Glibc

/// Hands mails in at a server, through libcurl, which is loaded at the first call. Blocks its thread, until a deadline.
package final class MailSender: Sendable {
  private static let connectMilliseconds = 15_000

  package struct Login: Sendable {
    package let user: String
    package let password: String

    package init(user: String, password: String) { (self.user, self.password) = (user, password) }
  }

  private let flag = StopFlag()
  private let milliseconds: Int

  /// `deadline`: for one mail, from the connection to the server's last word.
  package init(deadline: Duration = .seconds(60)) {
    milliseconds = max(1, Int(deadline / .milliseconds(1)))
  }

  /// Throws where there is no library to send with.
  package static func requireLibrary() throws(MailError) {
    var error = [CChar](repeating: 0, count: Int(ccurl_error_size))
    guard unsafe ccurl_load(&error) else { throw .libraryMissing(reason: text(error)) }
  }

  package func send(
    _ message: MailMessage, by server: MailServer, _ login: Login?
  ) throws(MailError) {
    try perform(server, login, message)
  }

  /// Connects and logs in, and sends nothing.
  package func check(_ server: MailServer, _ login: Login?) throws(MailError) {
    try perform(server, login, nil)
  }

  /// What is being sent ends soon, and so does all that comes.
  package func stop() { flag.raise() }

  private func perform(
    _ server: MailServer, _ login: Login?, _ message: MailMessage?
  ) throws(MailError) {
    var error = [CChar](repeating: 0, count: Int(ccurl_error_size))
    var response = 0
    let bytes = message?.bytes ?? []
    let code = unsafe bytes.withUnsafeBufferPointer { bytes in
      // A null pointer is "nothing": copies that live until the end of the call.
      let texts = unsafe [
        server.description, message?.from.text, message?.to.text, login?.user, login?.password,
        server.certificateFile,
      ].map { text in unsafe text.map { unsafe strdup($0) } ?? nil }
      defer {
        for number in unsafe texts.indices {
          guard let text = unsafe texts[number] else { continue }
          unsafe explicit_bzero(text, strlen(text))
          unsafe free(text)
        }
      }
      var mail = unsafe ccurl_mail(
        url: texts[0], from: texts[1], to: texts[2], user: texts[3], password: texts[4],
        certificates: texts[5], needs_starttls: server.needsStartTLS,
        connect_milliseconds: min(Self.connectMilliseconds, milliseconds),
        milliseconds: milliseconds,
        bytes: message == nil ? nil : bytes.baseAddress, count: bytes.count,
        is_stopped: flag.pointer)
      return unsafe ccurl_send(&mail, &error, &response)
    }
    guard code != 0 else { return }
    throw MailError(
      code: code, response: response, Self.text(error), host: server.host,
      recipient: message?.to.text ?? "")
  }

  private static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// `@unchecked Sendable`: C reads and writes it atomically.
@safe private final class StopFlag: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Int32>

  init() {
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(to: 0)
  }

  deinit { unsafe pointer.deallocate() }

  func raise() { unsafe ccurl_stop(pointer) }
}

extension MailError {
  /// libcurl-errors(3); `response`: the server's last word.
  fileprivate init(
    code: Int32, response: Int, _ reason: String, host: String, recipient: String
  ) {
    self =
      switch code {
      case Int32(ccurl_not_loaded): .libraryMissing(reason: reason)
      case 5, 6, 7, 35: .unreachable(host: host, reason: reason)
      case 51, 60, 77, 83, 91: .certificate(host: host)
      case 64: .noTLS(host: host)
      case 67: .login(host: host)
      case 28: .deadline(host: host)
      case 42: .stopped
      default:
        (400..<600).contains(response)
          ? .rejected(host: host, recipient: recipient, code: response)
          : .failed(host: host, reason: reason)
      }
  }
}
