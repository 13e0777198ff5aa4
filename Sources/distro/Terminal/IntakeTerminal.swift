import ArgumentParser
import Signer

/// What a request to send comes to, on a terminal: notices and faults as they come, and a line for each recipient.
final class IntakeTerminal {
  private let asJSON: Bool
  private let bar = ProgressBar()
  private var arrivals: [Arrivals.Arrival] = []

  init(asJSON: Bool) { self.asJSON = asJSON }

  func take(_ report: IntakeReport) {
    switch report {
    case .progress(let step, let done, let total): update(step, done, total)
    case .notice(let text):
      bar.finish()
      Terminal.printError(Terminal.harmless(text))
    case .failure(let message, let hint):
      bar.finish()
      ErrorReport(Terminal.harmless(message), hint: hint).print()
    case .arrival(let arrival):
      bar.finish()
      arrivals.append(arrival)
      if !asJSON { Terminal.print(StatusReport.line(arrival)) }
    }
  }

  /// There will be no result.
  func interrupt() { bar.finish() }

  /// From any thread.
  var progress: SendProgress {
    let bar = bar
    return SendProgress { step, done, total in bar.update(step.rawValue, done: done, of: total) }
  }

  /// `isAsked`: there is a wait for receipts, so that an open end is a fault.
  func finish(_ result: IntakeResult, isAsked: Bool) throws {
    bar.finish()
    if asJSON { Terminal.print(try StatusReport.json(arrivals)) }
    if result.hasUnstored {
      Terminal.printError(
        "distro: hint: nothing is lost: the next run sends it, or: distro sign-and-send --flush")
    }
    if result.verdict == .refused { throw ExitCode(.refused) }
    if result.failureCount > 0 || (isAsked && result.verdict == .open) { throw ExitCode(.fault) }
  }

  private func update(_ step: SendProgress.Step, _ done: UInt64, _ total: UInt64) {
    bar.update(step.rawValue, done: done, of: total)
  }
}
