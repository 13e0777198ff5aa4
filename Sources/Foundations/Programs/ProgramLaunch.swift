import CLinux
import Glibc
import Subprocess
import Synchronization

/// A program as swift-subprocess starts it, as the leader of a session and a process group of its own. It is not reaped
/// before it is let go, so that its number stays its own for as long as signals are sent to it.
final class ProgramLaunch: Sendable {
  struct Process: Sendable {
    let number: pid_t
    /// Readable when it has ended; -1: the kernel has no such descriptors.
    let descriptor: Int32

    var hasEnded: Bool {
      var information = unsafe siginfo_t()
      let options = WEXITED | WNOHANG | WNOWAIT
      while true {
        let code = unsafe waitid(P_PID, id_t(number), &information, options)
        if code != 0 && errno == EINTR { continue }
        return unsafe code != 0 || information.si_signo == SIGCHLD
      }
    }
  }

  private struct State {
    var process: Process?
    var ending: Result<ProgramOutcome.Ending, ProgramError>?
    var isLetGo = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let call: ProgramCall
  private let state = Mutex(State())
  /// A byte for each of: it has started, it has ended.
  private let news: Int32
  private let newsWriter: Int32

  init(_ call: ProgramCall) throws(ProgramError) {
    self.call = call
    let pipe = try DescriptorPipe.make(for: call.name)
    guard fcntl(pipe.reader.number, F_SETFL, 0) == 0 else {
      throw .system(program: call.name, call: "fcntl", code: errno)
    }
    (news, newsWriter) = (pipe.reader.take(), pipe.writer.take())
  }

  deinit {
    close(news)
    close(newsWriter)
  }

  /// The descriptors are closed when the program has its own.
  func begin(input: Int32, output: Int32, errors: Int32) {
    Task.detached { [self] in
      let ending = await run(input: input, output: output, errors: errors)
      state.withLock { $0.ending = ending }
      tell()
    }
  }

  /// `nil`: it was not started; `waitForEnd` says why.
  func waitForStart() -> Process? {
    hear()
    let process = state.withLock { $0.process }
    // What was heard was the end.
    if process == nil { tell() }
    return process
  }

  func waitForEnd() -> Result<ProgramOutcome.Ending, ProgramError> {
    hear()
    guard let ending = state.withLock({ $0.ending }) else {
      preconditionFailure("a launch tells of its start, then of its end")
    }
    return ending
  }

  func letGo() {
    let waiter = state.withLock { state in
      state.isLetGo = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  private func tell() {
    var byte: UInt8 = 1
    // Two bytes at most, into an empty pipe.
    _ = unsafe write(newsWriter, &byte, 1)
  }

  private func hear() {
    var byte: UInt8 = 0
    while unsafe read(news, &byte, 1) < 0 && errno == EINTR {}
  }

  // MARK: - On a thread of Swift's pool

  private func run(
    input: Int32, output: Int32, errors: Int32
  ) async -> Result<ProgramOutcome.Ending, ProgramError> {
    var options = PlatformOptions()
    options.createSession = true
    if let account = call.account {
      options.userID = account.user
      options.groupID = account.group
      options.supplementaryGroups = account.groups
    }
    let configuration = Subprocess.Configuration(
      executable: .path(.init(call.executable)), arguments: .init(call.arguments),
      environment: .custom(
        call.environment.map { Array("\($0.key)=\($0.value)".utf8) + [0] }),
      workingDirectory: call.directory.map { .init($0) }, platformOptions: options)
    do {
      let result = try await Subprocess.run(
        configuration,
        input: .fileDescriptor(.init(rawValue: input), closeAfterSpawningProcess: true),
        output: .fileDescriptor(.init(rawValue: output), closeAfterSpawningProcess: true),
        error: .fileDescriptor(.init(rawValue: errors), closeAfterSpawningProcess: true)
      ) { [self] execution in
        await hold(execution.processIdentifier)
      }
      return switch result.terminationStatus {
      case .exited(let code): .success(.exit(code))
      case .signaled(let signal): .success(.signal(signal))
      }
    } catch let error as SubprocessError {
      return .failure(failure(error))
    } catch {
      return .failure(.launch(program: call.name, reason: "\(error)"))
    }
  }

  private func hold(_ process: ProcessIdentifier) async {
    state.withLock {
      $0.process = Process(number: process.value, descriptor: process.processDescriptor)
    }
    tell()
    await withCheckedContinuation { continuation in
      let isLetGo = state.withLock { state in
        if !state.isLetGo { state.waiter = continuation }
        return state.isLetGo
      }
      if isLetGo { continuation.resume() }
    }
  }

  private func failure(_ error: SubprocessError) -> ProgramError {
    switch error.code {
    case .executableNotFound: .missing(call.executable)
    case .failedToChangeWorkingDirectory: .directoryMissing(call.directory ?? ".")
    default:
      .launch(
        program: call.name,
        reason: error.underlyingError.map { "\($0)" } ?? "the system did not start it")
    }
  }
}
