import ArgumentParser
import Foundation
import Logging
import Signer

struct SignAndSend: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends what moved on a branch, signed and sealed, and waits for the receipts.",
    discussion: """
      With --ref, one branch. Without it, the lines "old new ref" of a git post-receive hook from standard input:

        exec distro sign-and-send --config /etc/distro/signer.yaml

      What nobody takes stays in the outbox and goes with the next run, or with --flush.
      """)

  @Option(help: "The configuration, see config/signer.example.yaml.")
  var config: String

  @Option(help: "One of the configured repositories; needed where it is not the current directory.")
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
    let configuration = try SignerConfiguration.read(config)
    let settings = configuration.settings
    for fault in configuration.faults { ErrorReport(fault).print() }
    let outbox = try Outbox(directory: settings.state)
    try outbox.sweep(settings, at: Clock.now())
    let terminal = IntakeTerminal(asJSON: json)
    let delivery = Delivery(
      settings, outbox: outbox, progress: terminal.progress,
      log: Logger(label: "distro.sign-and-send") { _ in SwiftLogNoOpLogHandler() }, now: Clock.now)
    let intake = PushIntake(
      settings, outbox: outbox, courier: .own(delivery), now: Clock.now,
      progress: terminal.progress, report: terminal.take)
    let result = try intake.handle(try request())
    try terminal.finish(result, isAsked: wait > 0)
    // Nothing was sent to these.
    if !configuration.faults.isEmpty { throw ExitCode(.fault) }
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
    return PushRequest(
      repository: repository ?? ProcessInfo.processInfo.environment["GIT_DIR"] ?? ".",
      isNamed: repository != nil, subject: subject, patience: .seconds(wait), quorum: quorum)
  }
}

/// What git writes to a `post-receive` hook: a line for each ref of the push, of which there may be any number.
enum HookInput {
  static func lines() throws -> [String] {
    guard isatty(STDIN_FILENO) == 0 else {
      throw ValidationError(
        "name a branch with --ref, or give post-receive lines on standard input")
    }
    return AnyIterator { readLine() }.filter { !$0.isEmpty }
  }
}
