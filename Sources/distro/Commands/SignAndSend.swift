import ArgumentParser
import Foundation
import MessageFormat
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

  @Flag(help: "Starts from nothing: for machines that have no checkout yet.")
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
    let settings = try SignerConfiguration.read(config)
    let outbox = try Outbox(directory: settings.state)
    try outbox.sweep(settings, at: Clock.now())
    let bar = ProgressBar()
    let run = SendRun(settings: settings, outbox: outbox, bar: bar, quorum: quorum)
    let failures: Int
    if flush {
      failures = try run.addOpenMessages()
    } else if let ref {
      let start: Sending.Start =
        from.map { .revision($0) } ?? (snapshot ? .nothing : .whereRecipientsAre)
      failures = try run.send(ref: ref, in: try configured(settings), from: start, to: to)
    } else {
      failures = try run.sendPushes(from: HookInput.lines(), in: try configured(settings))
    }
    let faults = wait == 0 ? [] : try run.deliver(patience: .seconds(wait))
    bar.finish()
    try run.report(faults, asJSON: json)
    try exitStatus(of: run, failures: failures)
  }

  /// One repository may be named more than once, for other branches or other remotes.
  private func configured(_ settings: SignerSettings) throws -> [SignerRepository] {
    let wanted = repository ?? ProcessInfo.processInfo.environment["GIT_DIR"] ?? "."
    let path = Self.canonical(wanted)
    let matches = settings.repositories.filter {
      Self.canonical($0.path) == path || Self.canonical($0.path + "/.git") == path
    }
    if !matches.isEmpty { return matches }
    // A hook and a person in any directory mean the only one there is.
    guard repository == nil,
      Set(settings.repositories.map { Self.canonical($0.path) }).count == 1
    else { throw SignerError.unknownRepository(wanted) }
    return settings.repositories
  }

  private static func canonical(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }

  private func exitStatus(of run: SendRun, failures: Int) throws {
    let verdict = try run.verdict()
    if verdict == .refused { throw ExitCode(.refused) }
    if failures > 0 || (wait > 0 && verdict == .open) { throw ExitCode(.fault) }
  }
}

/// What git writes to a `post-receive` hook.
enum HookInput {
  /// A push of more refs than this is no push that anyone makes.
  static let lineCountMax = 10_000

  static func lines() throws -> [String] {
    guard isatty(STDIN_FILENO) == 0 else {
      throw ValidationError(
        "name a branch with --ref, or give post-receive lines on standard input")
    }
    var lines: [String] = []
    while let line = readLine() {
      guard lines.count < lineCountMax else {
        throw ValidationError("more than \(lineCountMax) lines on standard input")
      }
      if !line.isEmpty { lines.append(line) }
    }
    return lines
  }
}
