import Host
package import Mail
package import MessageFormat
package import WebClient

/// What a signer's configuration says of statuses and notices, read and checked.
package struct ReportingSettings: Sendable {
  package static let staleSecondsDefault: UInt64 = 600

  package let statuses: [StatusTarget]
  package let notices: [NoticeRoute]
  /// A machine that is silent, or not where its branch is, for so long is unseen or stale.
  package let staleSeconds: UInt64

  package init(
    statuses: [StatusTarget], notices: [NoticeRoute],
    staleSeconds: UInt64 = staleSecondsDefault
  ) {
    (self.statuses, self.notices, self.staleSeconds) = (statuses, notices, staleSeconds)
  }

  /// Without either, nothing of this target is made.
  package var isEmpty: Bool { statuses.isEmpty && notices.isEmpty }
}

/// Where the statuses of one repository go.
package struct StatusTarget: Sendable {
  package let remote: RemoteName
  package let host: CodeHost
  /// With the part of the path that all calls begin with.
  package let api: WebAddress
  package let tokenFile: String
  package let project: CodeProject
  /// A status for each machine besides the fleet's.
  package let showsMachines: Bool
  package let makesDeployments: Bool
  /// Where people get to by a click on the status.
  package let link: String?
  package let web: WebSettings

  package init(
    remote: RemoteName, host: CodeHost, api: WebAddress, tokenFile: String, project: CodeProject,
    showsMachines: Bool, makesDeployments: Bool = false, link: String? = nil,
    web: WebSettings = WebSettings()
  ) {
    (self.remote, self.host, self.api, self.tokenFile) = (remote, host, api, tokenFile)
    (self.project, self.showsMachines) = (project, showsMachines)
    (self.makesDeployments, self.link, self.web) = (makesDeployments, link, web)
  }
}

/// Who is told of what, and by which way.
package struct NoticeRoute: Sendable {
  package enum Way: Sendable {
    case mail(MailRoute)
    /// Slack's incoming webhooks, and what takes the same: the URL is a secret.
    case slack(urlFile: String, WebSettings)
    case webhook(WebAddress, secretFile: String, WebSettings)
    /// Gets the notice as JSON on its standard input, and `DISTRO_…` variables.
    case program(NoticeProgram)
  }

  package let kinds: Set<NoticeKind>
  package let way: Way
  /// A notice is sent when nothing has happened for so long.
  package let digestSeconds: UInt64

  package init(_ kinds: Set<NoticeKind>, _ way: Way, digestSeconds: UInt64 = 10) {
    (self.kinds, self.way, self.digestSeconds) = (kinds, way, digestSeconds)
  }

  /// What it is known by in the state, in logs and on the status; holds no secret.
  package var name: String {
    switch way {
    case .mail(let mail): "mail \(mail.to.map(\.text).joined(separator: ","))"
    case .slack(let file, _): "slack \(file)"
    case .webhook(let address, _, _): "webhook \(address)"
    case .program(let program): "run \(program.text)"
    }
  }
}

/// Mail of one route.
package struct MailRoute: Sendable {
  package enum Way: Sendable {
    /// Without a login none is tried.
    case server(MailServer, MailLogin?)
    /// A program that is called as sendmail(8) is.
    case sendmail(NoticeProgram)
  }

  package let to: [MailAddress]
  package let from: MailAddress
  package let way: Way

  package init(to: [MailAddress], from: MailAddress, by way: Way) {
    (self.to, self.from, self.way) = (to, from, way)
  }
}

/// Who we are for a mail server.
package struct MailLogin: Sendable {
  package let user: String
  package let passwordFile: String

  package init(user: String, passwordFile: String) {
    (self.user, self.passwordFile) = (user, passwordFile)
  }

  /// The password is read anew each time: it may be replaced while we run.
  func read() throws(SecretFileError) -> MailSender.Login {
    MailSender.Login(user: user, password: try SecretFile(passwordFile).firstLine())
  }
}

/// What notices are sent for: the names are part of the configuration.
package enum NoticeKind: String, CaseIterable, Codable, Sendable {
  case applied
  case refused
  case rolledBack = "rolled-back"
  case stale
  case unseen
  case recovered
  case hostUnreachable = "host-unreachable"
}
