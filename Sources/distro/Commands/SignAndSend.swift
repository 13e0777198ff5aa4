import ArgumentParser
import Diagnostics
import Foundation
import Logging
import Signer

struct SignAndSend: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends what moved on a branch, signed and sealed, and waits for the receipts.",
    discussion: """
      With --ref, one branch. Without it, the lines "old new ref" of a git post-receive hook from standard input:

        exec distro sign-and-send

      A running daemon (`distro serve`) is asked to do it, through its socket: that takes no key and no configuration, \
      only the right to write to the socket. Without a daemon, this process does it, with --config.

      What nobody takes stays in the outbox and goes with the next run, or with --flush.
      """)

  @Option(
    help:
      "The signer's configuration: its daemon is asked, and without one, this process sends. See config/signer.example.yaml."
  )
  var config: String?

  @Option(
    help:
      "The daemon's socket; unless given, that of --config, then DISTRO_SOCKET, then /run/distro/signer.sock."
  )
  var socket: String?

  @Option(
    help:
      "A configured repository: its path, remote or upstream; needed where it is not the current directory."
  )
  var repository: String?

  @Option(help: "A branch: main or refs/heads/main.")
  var ref: String?

  @Option(help: "The revision that the appliers have; by default what they last said, or was sent.")
  var from: String?

  @Flag(help: "Sends all of it: to new machines, and in the place of what the others have.")
  var snapshot = false

  @Option(help: "The revision to bring them to; the tip of the branch, unless given.")
  var to: String?

  @Option(help: "How many seconds to wait for receipts; 0 only fills the outbox.")
  var wait = 30

  @Option(help: "How many recipients of a branch must have applied it; all, unless given.")
  var quorum: Int?

  @Flag(help: "Sends what waits in the outbox, and nothing new.")
  var flush = false

  @Flag(help: "Prints the result as JSON.")
  var json = false

  func validate() throws {
    guard (0...86_400).contains(wait) else {
      throw ValidationError("--wait takes 0 to 86400 seconds")
    }
    guard quorum ?? 1 >= 1 else { throw ValidationError("--quorum takes 1 or more") }
    guard ref != nil || (from == nil && to == nil && !snapshot) else {
      throw ValidationError("--from, --to and --snapshot need --ref")
    }
    guard from == nil || !snapshot else {
      throw ValidationError("--from and --snapshot exclude each other")
    }
    guard !flush || ref == nil else { throw ValidationError("--flush sends nothing new: no --ref") }
  }

  func run() throws {
    let terminal = IntakeTerminal(asJSON: json)
    let path = try daemonPath()
    let request = try request()
    let result: IntakeResult
    do throws(IntakeError) {
      result = try IntakeClient(path).ask(request, report: terminal.take)
    } catch .absent where config != nil {
      return try send(request, terminal)
    } catch {
      terminal.interrupt()
      throw error
    }
    try terminal.finish(result, isAsked: wait > 0)
  }

  private func daemonPath() throws -> String {
    if let socket { return Self.absolute(socket) }
    if let config { return try SignerConfiguration.places(config).socket.path }
    return ProcessInfo.processInfo.environment["DISTRO_SOCKET"].map(Self.absolute)
      ?? SignerSocket.pathDefault
  }

  /// There is no daemon: in this process.
  private func send(_ request: PushRequest, _ terminal: IntakeTerminal) throws {
    guard let config else { return }
    let settings = try SignerConfiguration.read(config).settings
    let outbox = try Outbox(directory: settings.state)
    let swept = try outbox.sweep(settings, at: WallClock.now())
    if swept.messageCount > 0 {
      let event = Event.messageExpired.sentence
      Terminal.printError("distro: \(event): \(swept.messageCount), for \(swept.mailboxText)")
    }
    let delivery = Delivery(
      settings, outbox: outbox, progress: terminal.progress,
      log: Logger(label: "distro.sign-and-send") { _ in SwiftLogNoOpLogHandler() },
      now: WallClock.now)
    let intake = PushIntake(
      settings, outbox: outbox, courier: .own(delivery), now: WallClock.now,
      progress: terminal.progress, report: terminal.take)
    try terminal.finish(try intake.handle(request), isAsked: wait > 0)
  }

  private func request() throws -> PushRequest {
    let subject: PushRequest.Subject
    if flush {
      subject = .outbox
    } else if let ref {
      let start: Sending.Start =
        from.map { .revision($0) } ?? (snapshot ? .nothing : .whereRecipientsAre)
      subject = .branch(ref: ref, from: start, to: to)
    } else {
      subject = .pushes(try HookInput.lines())
    }
    let directory = repository ?? ProcessInfo.processInfo.environment["GIT_DIR"] ?? "."
    return PushRequest(
      repository: Self.place(directory), isNamed: repository != nil, subject: subject,
      patience: .seconds(wait), quorum: quorum)
  }

  /// A remote or upstream by its name, or a directory.
  private static func place(_ name: String) -> String {
    name.contains(":") && !FileManager.default.fileExists(atPath: name) ? name : absolute(name)
  }

  /// The daemon is in another directory.
  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

/// What git writes to a `post-receive` hook: a line for each ref of the push, of which there may be any number.
enum HookInput {
  static func lines() throws -> PushLines {
    guard isatty(STDIN_FILENO) == 0 else {
      throw ValidationError(
        "name a branch with --ref, or give post-receive lines on standard input")
    }
    var lines = PushLines()
    while let line = readLine() {
      if !line.isEmpty { lines.add(line) }
    }
    return lines
  }
}
