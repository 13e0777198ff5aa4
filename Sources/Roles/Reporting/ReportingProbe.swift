import Foundation
import Host
import Mail
import WebClient

/// Looks, for `distro doctor`, whether what is configured works: asks servers harmless questions, and tells nobody anything.
package enum ReportingProbe {
  /// The host is reached, knows the repository, and takes the token.
  package static func check(_ target: StatusTarget) throws {
    var request = try StatusCall(target: target).check()
    request.credentials = try HostToken(of: target).headers
    request.deadline = .seconds(15)
    let response = try WebClient(target.web).send(request, byteCountMax: 8 << 20)
    guard response.isSuccess else {
      throw ReportingError.rejected(
        by: target.api.host, status: response.status, detail: response.message)
    }
  }

  /// Returns what was found good.
  package static func check(_ route: NoticeRoute) throws -> String {
    switch route.way {
    case .mail(let mail):
      return try check(mail.way)
    case .slack(let file, _):
      let address = try NoticeCarrier.address(in: file)
      return "holds a URL of \(address.host)"
    case .webhook(_, let file, _):
      _ = try SecretFile(file).firstLine()
      return "its secret is ours alone"
    case .program(let program):
      try program.requireSound()
      return "can be run"
    }
  }

  private static func check(_ way: MailRoute.Way) throws -> String {
    switch way {
    case .server(let server, let login):
      try MailSender.requireLibrary()
      try MailSender().check(server, try login?.read())
      return login == nil
        ? "\(server.host) takes a connection" : "\(server.host) takes our login"
    case .sendmail(let program):
      try program.requireSound()
      return "\(program.path) can be run"
    }
  }
}
