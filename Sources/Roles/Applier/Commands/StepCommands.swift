import GitModel
import MessageFormat
import Programs
import WebClient

/// The commands of one step, with what they are told of it; for the thread that waits for them.
struct StepCommands: Sendable {
  /// Of what a command says, so much of the end is in receipts and logs.
  private static let saidCountMax = 500
  private static let probePause: Duration = .seconds(1)
  private static let probeDeadline: Duration = .seconds(5)

  enum Verdict: Equatable, Sendable {
    case good
    /// For people: what failed, and how.
    case bad(String)
    /// The program was to end before it was known.
    case stopped
  }

  let commands: CheckoutCommands
  let step: Facts

  /// What a command can know of its step.
  struct Facts: Sendable {
    let stream: StreamName
    let before: ObjectID?
    let after: ObjectID
    let sequence: UInt64
    /// Where the files of the revision are that stands when the command runs.
    let directory: String
    /// Nothing is there yet.
    var isFirst = false
    let changedPaths: [TreePath]
  }

  func mayBegin(until stop: ProgramStop) -> Verdict {
    guard let program = commands.beforeApply else { return .good }
    return run(program, named: "before-apply", until: stop)
  }

  /// Whether the step that stands is to stay.
  func confirm(until stop: ProgramStop) -> Verdict {
    if let program = commands.afterApply {
      let verdict = run(program, named: "after-apply", until: stop)
      guard verdict == .good else { return verdict }
    }
    return commands.health.map { check($0, until: stop) } ?? .good
  }

  /// `reason`: why the step has failed.
  func tellFailure(_ reason: String, until stop: ProgramStop) -> Verdict {
    guard let program = commands.onFailure else { return .good }
    return run(program, named: "on-failure", ["DISTRO_REASON": reason], until: stop)
  }

  // MARK: - Programs

  private func run(
    _ program: ConfiguredProgram, named name: String, _ more: [String: String] = [:],
    until stop: ProgramStop
  ) -> Verdict {
    do {
      let list = try ChangedFileList(step.changedPaths, for: program.account)
      defer { list.remove() }
      var variables = variables.merging(more) { $1 }
      variables["DISTRO_CHANGED_FILES"] = list.path
      let outcome = try program.run(
        in: step.isFirst ? "/" : step.directory, variables: variables, until: stop)
      guard !outcome.isSuccess else { return .good }
      let said = outcome.lastWords(countMax: Self.saidCountMax)
      return .bad("\(name) \(outcome.ending)" + (said.isEmpty ? "" : ": \(said)"))
    } catch ProgramError.stopped {
      return .stopped
    } catch {
      return .bad("\(name): \(error)")
    }
  }

  private var variables: [String: String] {
    [
      "DISTRO_REMOTE": step.stream.remote.text,
      "DISTRO_BRANCH": step.stream.branch.shortName,
      "DISTRO_BEFORE": step.before?.hex ?? "",
      "DISTRO_AFTER": step.after.hex,
      "DISTRO_SEQUENCE": "\(step.sequence)",
      "DISTRO_RELEASE": step.directory,
    ]
  }

  // MARK: - Health

  private func check(_ health: HealthCheck, until stop: ProgramStop) -> Verdict {
    let end = ContinuousClock.now + health.deadline
    while true {
      let verdict: Verdict
      switch health.probe {
      case .run(let program): verdict = run(program, named: "health", until: stop)
      case .get(let address):
        verdict = get(address, by: min(Self.probeDeadline, max(.seconds(1), end - .now)), stop)
      }
      guard case .bad(let reason) = verdict else { return verdict }
      guard .now + Self.probePause < end else {
        return .bad("\(reason) (tried for \(health.deadline.components.seconds) s)")
      }
      if stop.wait(for: Self.probePause) { return .stopped }
    }
  }

  private func get(
    _ address: WebAddress, by deadline: Duration, _ stop: ProgramStop
  ) -> Verdict {
    do throws(WebError) {
      let client = try WebClient()
      let response = try stop.whenSet {
        client.stop()
      } during: { () throws(WebError) in
        try client.send(WebRequest(.get, address, deadline: deadline))
      }
      return response.isSuccess ? .good : .bad("health: \(address) answered \(response.status)")
    } catch .stopped {
      return .stopped
    } catch {
      return .bad("health: \(error)")
    }
  }
}
