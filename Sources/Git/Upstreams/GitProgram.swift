import Foundation
import Programs

/// The `git` of this machine, as it is run for an upstream: with a home and settings of its own, without a terminal, with
/// one transport, and with the secrets in its environment, where other users cannot read them.
struct GitProgram {
  /// A server that sends nothing for so long has gone.
  private static let silentSecondsMax = 60
  private static let answerSecondsMin: UInt64 = 10
  /// Of the list of an upstream's branches.
  private static let listByteCountMax = 64 << 20

  let settings: UpstreamSettings
  /// Of the mirror; `nil`: none is needed.
  let directory: String?
  let home: String
  let stop: ProgramStop?

  enum Work {
    /// Says what is there.
    case question
    /// Brings or sorts objects.
    case transfer
  }

  /// What git says; throws where it fails.
  @discardableResult
  func run(
    _ arguments: [String], for work: Work, input: String = ""
  ) throws(UpstreamError) -> String {
    let secrets = try secrets()
    var limits = ProgramCall.Limits(deadline: deadline(of: work))
    limits.outputByteCountMax = Self.listByteCountMax
    let place = directory.map { ["--git-dir=\($0)"] } ?? []
    let call = ProgramCall(
      try Self.find("git"), place + arguments, environment: try environment(secrets),
      in: directory ?? "/", input: Array(input.utf8), limits: limits)
    let outcome = try run(call)
    if outcome.isSuccess { return outcome.outputText }
    throw failure(outcome, secrets: secrets.map { [$0] } ?? [])
  }

  private func run(_ call: ProgramCall) throws(UpstreamError) -> ProgramOutcome {
    do throws(ProgramError) {
      return try call.run(until: stop)
    } catch {
      if case .deadline(_, let limit) = error, settings.url.transport != .file {
        throw .unreachable(settings.url, detail: "no end within \(limit.components.seconds) s")
      }
      throw .program(error)
    }
  }

  private func failure(_ outcome: ProgramOutcome, secrets: [String]) -> UpstreamError {
    GitFailure(settings: settings, mirror: directory ?? home, credential: settings.credential)
      .error(from: outcome.errorText, secrets: secrets)
  }

  private func deadline(of work: Work) -> Duration {
    let seconds = settings.timeoutSeconds
    return switch work {
    case .question: .seconds(min(seconds, max(Self.answerSecondsMin, seconds / 10)))
    case .transfer: .seconds(seconds)
    }
  }

  static func find(_ name: String) throws(UpstreamError) -> String {
    let places = ["/usr/bin/", "/usr/local/bin/", "/bin/"]
    guard let found = places.first(where: { isExecutable($0 + name) }) else {
      throw .program(.missing(places[0] + name))
    }
    return found + name
  }

  private static func isExecutable(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: path)
  }

  /// The token, read anew each time.
  private func secrets() throws(UpstreamError) -> String? {
    try settings.requireFiles()
    guard let token = settings.token else { return nil }
    do { return try token.file.firstLine() } catch { throw .secret(error) }
  }

  // MARK: - Environment

  private func environment(_ token: String?) throws(UpstreamError) -> [String: String] {
    var variables = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LC_ALL": "C",
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
      "GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "GIT_NO_REPLACE_OBJECTS": "1",
      "GIT_ALLOW_PROTOCOL": settings.url.transport.rawValue,
    ]
    if settings.url.transport == .ssh {
      variables["GIT_SSH_COMMAND"] = try sshCommand()
      variables["GIT_SSH_VARIANT"] = "ssh"
      variables["SSH_AUTH_SOCK"] = agentSocket
    }
    if let token, let user = settings.token?.user {
      variables["DISTRO_GIT_USER"] = user
      variables["DISTRO_GIT_TOKEN"] = token
    }
    let pairs = configuration
    variables["GIT_CONFIG_COUNT"] = "\(pairs.count)"
    for (number, pair) in pairs.enumerated() {
      variables["GIT_CONFIG_KEY_\(number)"] = pair.key
      variables["GIT_CONFIG_VALUE_\(number)"] = pair.value
    }
    return variables
  }

  /// In place of all files that git would read, besides the mirror's own.
  private var configuration: [(key: String, value: String)] {
    var pairs = [
      ("gc.auto", "0"), ("maintenance.auto", "false"), ("core.hooksPath", "/dev/null"),
      ("core.fsync", "committed,reference"),
      // One file a fetch, which upkeep puts together.
      ("fetch.unpackLimit", "1"), ("fetch.fsckObjects", "true"),
      ("pack.windowMemory", "128m"), ("pack.threads", "2"),
    ]
    pairs += HistoricFaults.names.map { ("fetch.fsck.\($0)", "ignore") }
    guard settings.url.transport == .https || settings.url.transport == .http else { return pairs }
    pairs += [
      ("http.sslVerify", "true"), ("http.lowSpeedLimit", "1"),
      ("http.lowSpeedTime", "\(Self.silentSecondsMax)"), ("credential.helper", ""),
    ]
    if settings.token != nil {
      // A shell's own printf: nobody sees its arguments. For this server alone, whatever redirects it.
      pairs.append(
        (
          "credential.\(settings.url.origin).helper",
          #"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "#
            + #""$DISTRO_GIT_USER" "$DISTRO_GIT_TOKEN"; }; f"#
        ))
    }
    if let file = settings.caFile { pairs.append(("http.sslCAInfo", file)) }
    pairs.append(("http.proxy", settings.proxy ?? ""))
    return pairs
  }

  // MARK: - ssh

  private var agentSocket: String? {
    settings.keyFile == nil ? ProcessInfo.processInfo.environment["SSH_AUTH_SOCK"] : nil
  }

  /// Through the shell, as git runs it; no file of this user's or the machine's is read for settings.
  private func sshCommand() throws(UpstreamError) -> String {
    ([try Self.find("ssh")] + sshOptions.map(Self.quoted)).joined(separator: " ")
  }

  private var sshOptions: [String] {
    var options = [
      "BatchMode=yes", "StrictHostKeyChecking=yes", "PasswordAuthentication=no",
      "KbdInteractiveAuthentication=no", "ConnectTimeout=30", "ServerAliveInterval=15",
      "ServerAliveCountMax=4", "ForwardAgent=no", "ClearAllForwardings=yes", "UpdateHostKeys=no",
      "ControlMaster=no", "ControlPath=none", "PermitLocalCommand=no",
    ]
    if let key = settings.keyFile {
      options += [
        "IdentitiesOnly=yes", "IdentityAgent=none", "IdentityFile=\(Self.word(key.path))",
      ]
    } else {
      options.append("IdentityFile=none")
    }
    if let file = settings.knownHostsFile {
      options += ["UserKnownHostsFile=\(Self.word(file))", "GlobalKnownHostsFile=/dev/null"]
    }
    return ["-F", "none"] + options.flatMap { ["-o", $0] }
  }

  /// What a command of the upstream's host says, by ssh with the same key and known hosts as git.
  func runThere(_ command: String) throws(UpstreamError) -> [UInt8] {
    try settings.requireSense()
    try settings.requireFiles()
    let url = settings.url
    let host = url.host.hasPrefix("[") ? String(url.host.dropFirst().dropLast()) : url.host
    let port = url.port.map { ["-p", "\($0)"] } ?? []
    var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LC_ALL": "C"]
    variables["SSH_AUTH_SOCK"] = agentSocket
    let place = url.user.isEmpty ? host : "\(url.user)@\(host)"
    let call = ProgramCall(
      try Self.find("ssh"), sshOptions + port + ["--", place, command], environment: variables,
      in: "/", limits: .init(deadline: deadline(of: .question)))
    let outcome = try run(call)
    if outcome.isSuccess { return outcome.output }
    throw failure(outcome, secrets: [])
  }

  /// One word of ssh_config(5). What it could not say was refused with the settings.
  private static func word(_ path: String) -> String {
    "\"" + path.replacing("%", with: "%%") + "\""
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
