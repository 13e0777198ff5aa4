import Crypto
import Diagnostics
import Foundation
import Host
import Mail
import Programs
import WebClient

/// Hands a notice over, by the way that its route names.
final class NoticeCarrier: Sendable {
  /// What became of one attempt.
  struct Outcome {
    /// To be tried again.
    var failure: (any OperatorError)?
    /// Receivers that will not take it.
    var lost: [any OperatorError] = []
    /// We were told to end meanwhile; the next run tries again.
    var isStopped = false
    /// By a program that took it.
    var said = ""
  }

  private let route: NoticeRoute
  private let client: WebClient?
  private let mail = MailSender()
  private let programStop: ProgramStop

  /// Throws where a file of certificates cannot be used.
  init(_ route: NoticeRoute) throws {
    self.route = route
    programStop = try ProgramStop()
    client =
      switch route.way {
      case .mail, .program: nil
      case .slack(_, let web), .webhook(_, _, let web): try WebClient(web)
      }
  }

  func stop() {
    client?.stop()
    mail.stop()
    programStop.set()
  }

  /// `except`: receivers that have it already; `onHanded` is called for each that has it now.
  func send(
    _ notice: Notice, except: Set<String>, _ onHanded: (String) throws -> Void
  ) throws -> Outcome {
    guard case .mail(let mail) = route.way else {
      return outcome { try self.sendOne(notice) }
    }
    var outcome = Outcome()
    for address in mail.to where !except.contains(address.text) {
      let its = self.outcome { try self.send(notice, to: address, of: mail) }
      if its.isStopped { return its }
      if !its.said.isEmpty { outcome.said = its.said }
      if let error = its.failure {
        guard Self.isFinal(error) else {
          outcome.failure = error
          continue
        }
        outcome.lost.append(error)
      }
      try onHanded(address.text)
    }
    return outcome
  }

  /// To send the same to the same receiver again would not help.
  private static func isFinal(_ error: any OperatorError) -> Bool {
    switch error {
    case let error as MailError: error.isFinal
    case ReportingError.programFailed(_, let ending, _): Sendmail.isFinal(ending)
    default: false
    }
  }

  private func outcome(_ body: () throws -> String) -> Outcome {
    do {
      return Outcome(said: try body())
    } catch WebError.stopped, MailError.stopped, ProgramError.stopped {
      return Outcome(isStopped: true)
    } catch let error as any OperatorError {
      return Outcome(failure: error)
    } catch {
      return Outcome(failure: ReportingError.state("\(error)"))
    }
  }

  /// Returns what a program said.
  private func sendOne(_ notice: Notice) throws -> String {
    switch route.way {
    case .slack(let file, _):
      try post(NoticeText(notice).slack(), to: try Self.address(in: file), notice)
    case .webhook(let address, let file, _):
      let body = try notice.json()
      try post(body, to: address, notice, signature: Self.signature(body, by: file))
    case .program(let program):
      return try program.run(
        input: try notice.json(), variables: NoticeText(notice).variables, until: programStop)
    case .mail: preconditionFailure("mail goes to each of its receivers")
    }
    return ""
  }

  // MARK: - HTTP

  /// Everybody who has the URL may write there: it is in no log.
  static func address(in file: String) throws -> WebAddress {
    do {
      return try WebAddress(try SecretFile(file).firstLine())
    } catch is WebError {
      throw ReportingError.addressInvalid(file: file)
    }
  }

  /// As GitHub signs its webhooks: over the bytes of the body.
  private static func signature(_ body: [UInt8], by file: String) throws -> WebRequest.Header {
    let key = SymmetricKey(data: Data(try SecretFile(file).firstLine().utf8))
    let code = HMAC<SHA256>.authenticationCode(for: body, using: key)
    return .init(
      "X-Hub-Signature-256", "sha256=" + code.map { String(format: "%02x", Int($0)) }.joined())
  }

  private func post(
    _ body: [UInt8], to address: WebAddress, _ notice: Notice,
    signature: WebRequest.Header? = nil
  ) throws {
    guard let client else { return }
    var request = WebRequest(
      .post, address, headers: [.init("Content-Type", "application/json")], body: body)
    if let signature {
      request.headers += [
        signature, .init("X-Distro-Event", "notice"), .init("X-Distro-Delivery", notice.id),
      ]
    }
    let response = try client.send(request)
    guard response.isSuccess else {
      throw ReportingError.rejected(
        by: address.host, status: response.status, detail: response.message)
    }
  }

  // MARK: - Mail

  /// Returns what a program said.
  private func send(
    _ notice: Notice, to address: MailAddress, of route: MailRoute
  ) throws -> String {
    let text = NoticeText(notice)
    let message = MailMessage(
      identifier: notice.id, from: route.from, to: address, at: notice.created / 1_000,
      subject: text.subject, text: text.plain, html: text.html)
    switch route.way {
    case .server(let server, let login):
      try mail.send(message, by: server, try login?.read())
      return ""
    case .sendmail(let program):
      return try Sendmail.send(message, by: program, until: programStop)
    }
  }
}
