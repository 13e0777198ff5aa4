import Programs
import Synchronization
import Threads

/// The commands that run beside the worker: each checkout's on a thread of its own, one at a time, so that one that hangs
/// keeps no other checkout waiting.
final class CommandThreads {
  typealias Verdict = StepCommands.Verdict

  /// What was asked.
  enum Question: Equatable { case mayBegin, isGood, failure }

  private struct Running {
    let question: Question
    let subject: String
    let thread: LoopThread
    let stop: ProgramStop
    let answer: Answer
  }

  /// Between a thread and the worker.
  private final class Answer: Sendable {
    let verdict = Mutex<Verdict?>(nil)
  }

  private struct Known {
    let question: Question
    let subject: String
    let verdict: Verdict
  }

  /// By the checkout's path.
  private var running: [String: Running] = [:]
  private var known: [String: Known] = [:]
  /// Of any thread: one has ended.
  private let onEnd: @Sendable () -> Void

  init(onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

  deinit {
    for run in running.values { run.stop.set() }
    for run in running.values { run.thread.join() }
  }

  var isIdle: Bool { running.isEmpty }

  /// The verdict on a question that was asked of this subject; `nil`: it is asked now, or was already, and the checkout
  /// waits.
  func verdict(
    on question: Question, of subject: String, for path: String,
    _ ask: @escaping @Sendable (ProgramStop) -> Verdict
  ) throws -> Verdict? {
    if let known = known[path], known.question == question, known.subject == subject {
      return known.verdict
    }
    guard running[path] == nil else { return nil }
    known[path] = nil
    let (answer, stop, onEnd) = (Answer(), try ProgramStop(), onEnd)
    let thread = try LoopThread {
      let verdict = ask(stop)
      answer.verdict.withLock { $0 = verdict }
      onEnd()
    }
    running[path] = Running(
      question: question, subject: subject, thread: thread, stop: stop, answer: answer)
    return nil
  }

  func isKnown(_ question: Question, of subject: String, for path: String) -> Bool {
    known[path].map { $0.question == question && $0.subject == subject } ?? false
  }

  /// The checkouts whose commands have ended since.
  func takeEnded() -> [String] {
    var ended: [String] = []
    for (path, run) in running {
      guard let verdict = run.answer.verdict.withLock({ $0 }) else { continue }
      run.thread.join()
      running[path] = nil
      known[path] = Known(question: run.question, subject: run.subject, verdict: verdict)
      ended.append(path)
    }
    return ended
  }

  /// The step is at its end, or another one.
  func forget(_ path: String) { known[path] = nil }
}
