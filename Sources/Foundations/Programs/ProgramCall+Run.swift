import Foundation

extension ProgramCall {
  /// Blocks until the program and everything in its process group has ended. For threads of ours and the main thread: another
  /// task would take away one of the few threads that swift-subprocess needs. An exit status that is not 0 is an outcome, and no
  /// error.
  ///
  /// What the program leaves behind is killed when it ends by itself as well, except what has made a session of its own.
  package func run(until stop: ProgramStop? = nil) throws(ProgramError) -> ProgramOutcome {
    let isInTask = unsafe withUnsafeCurrentTask { unsafe $0 != nil }
    precondition(!isInTask || Thread.isMainThread, "a program is waited for on a thread of its own")
    var run = try ProgramRun(self, stop)
    return try run.run()
  }
}

/// One run of a program, on the thread that waits for it: the thread reads what the program says and counts the time,
/// while a task of swift-subprocess starts it and holds its end open until everything was read.
private struct ProgramRun {
  /// Where the kernel gives out no descriptor for a process, its end is looked for so often.
  private static let look: Duration = .milliseconds(20)

  let call: ProgramCall
  let stop: ProgramStop?
  private let output: DescriptorPipe
  private let errors: DescriptorPipe
  private let launch: ProgramLaunch
  private var outputBytes: [UInt8] = []
  private var errorBytes: [UInt8] = []
  private var isOutputOpen = true
  private var areErrorsOpen = true

  init(_ call: ProgramCall, _ stop: ProgramStop?) throws(ProgramError) {
    (self.call, self.stop) = (call, stop)
    let input = try InputFile.make(call.input, for: call.name)
    output = try DescriptorPipe.make(for: call.name)
    errors = try DescriptorPipe.make(for: call.name)
    launch = try ProgramLaunch(call)
    if stop?.isSet == true { throw .stopped(program: call.name) }
    launch.begin(
      input: input.take(), output: output.writer.take(), errors: errors.writer.take())
  }

  mutating func run() throws(ProgramError) -> ProgramOutcome {
    guard let process = launch.waitForStart() else {
      return try outcome(launch.waitForEnd())
    }
    let failure = try watch(process, until: .now + call.limits.deadline)
    // It has ended, and its number is not given to another one before it is let go: whatever is left of its group dies.
    kill(-process.number, SIGKILL)
    launch.letGo()
    let ending = launch.waitForEnd()
    if let failure { throw failure }
    return try outcome(ending)
  }

  private func outcome(
    _ ending: Result<ProgramOutcome.Ending, ProgramError>
  ) throws(ProgramError) -> ProgramOutcome {
    ProgramOutcome(ending: try ending.get(), output: outputBytes, errors: errorBytes)
  }

  /// Until the program has ended; returns why it was ended by us.
  private mutating func watch(
    _ process: ProgramLaunch.Process, until end: ContinuousClock.Instant
  ) throws(ProgramError) -> ProgramError? {
    var failure: ProgramError?
    var killTime: ContinuousClock.Instant?
    while !process.hasEnded {
      let isStopped = wait(for: process, until: killTime ?? end, listensToStop: failure == nil)
      do throws(ProgramError) {
        try read()
      } catch {
        failure = failure ?? error
      }
      if failure == nil, isStopped { failure = .stopped(program: call.name) }
      if failure == nil, .now >= end {
        failure = .deadline(program: call.name, call.limits.deadline)
      }
      guard failure != nil else { continue }
      if killTime == nil {
        kill(-process.number, SIGTERM)
        killTime = .now + call.limits.grace
      } else if let time = killTime, .now >= time {
        kill(-process.number, SIGKILL)
        killTime = .now + call.limits.grace
      }
    }
    do throws(ProgramError) { try read() } catch { failure = failure ?? error }
    return failure
  }

  /// Until something happens; returns whether we are to stop.
  private func wait(
    for process: ProgramLaunch.Process, until end: ContinuousClock.Instant, listensToStop: Bool
  ) -> Bool {
    let stopDescriptor = listensToStop ? stop?.descriptor ?? -1 : -1
    // A negative one is passed over: poll(2).
    var polls = [
      isOutputOpen ? output.reader.number : -1, areErrorsOpen ? errors.reader.number : -1,
      process.descriptor, stopDescriptor,
    ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var rest = max(.zero, end - .now)
    if process.descriptor < 0 { rest = min(rest, Self.look) }
    let (seconds, attoseconds) = rest.components
    let milliseconds = min(seconds, 1_000_000) * 1_000 + attoseconds / 1_000_000_000_000_000 + 1
    _ = unsafe poll(&polls, UInt(polls.count), Int32(milliseconds))
    return polls[3].revents != 0
  }

  private mutating func read() throws(ProgramError) {
    while isOutputOpen {
      guard let bytes = try output.read(for: call.name) else {
        isOutputOpen = false
        break
      }
      if bytes.isEmpty { break }
      outputBytes += bytes
      let excess = outputBytes.count - call.limits.outputByteCountMax
      guard excess > 0 else { continue }
      switch call.limits.outputExcess {
      case .isForgotten: outputBytes.removeFirst(excess)
      case .endsProgram:
        isOutputOpen = false
        throw .overLimit(program: call.name, byteCountMax: call.limits.outputByteCountMax)
      }
    }
    while areErrorsOpen {
      guard let bytes = try errors.read(for: call.name) else {
        areErrorsOpen = false
        break
      }
      if bytes.isEmpty { break }
      errorBytes += bytes
      let excess = errorBytes.count - call.limits.errorByteCountMax
      if excess > 0 { errorBytes.removeFirst(excess) }
    }
  }
}
