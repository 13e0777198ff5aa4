import Foundation
import Programs
import Synchronization
import TestSupport
import Testing

/// Other programs, run to their end or to their deadline; real ones, since nothing stands in for the kernel.
struct ProgramRunTests {
  private let folder: PipelineFolder

  init() throws { folder = try PipelineFolder() }

  private func limits(deadline: Duration = .seconds(60)) -> ProgramCall.Limits {
    ProgramCall.Limits(deadline: deadline)
  }

  private func shell(
    _ script: String, limits: ProgramCall.Limits? = nil, input: [UInt8] = []
  ) -> ProgramCall {
    ProgramCall(
      "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], in: folder.path,
      input: input, limits: limits ?? self.limits())
  }

  private func isAlive(_ file: String) throws -> Bool {
    try ProcessFile.isAlive(folder.path(file))
  }

  @Test func `output errors and status arrive`() async throws {
    let outcome = try await shell("echo out; echo err >&2; exit 3").outcome()
    #expect(outcome.ending == .exit(3) && !outcome.isSuccess)
    #expect(outcome.outputText == "out\n" && outcome.errorText == "err\n")
    #expect(try await shell("kill -9 $$").outcome().ending == .signal(9))
  }

  @Test func `arguments are not read by a shell`() async throws {
    let words = ["$(id)", "a b", "", "*", "'", "\n", "ä"]
    let outcome = try await ProgramCall(
      "/usr/bin/printf", ["%s|"] + words, environment: [:], limits: limits()
    ).outcome()
    #expect(outcome.outputText == words.map { $0 + "|" }.joined())
  }

  @Test func `environment and descriptors are its own`() async throws {
    let outcome = try await ProgramCall(
      "/usr/bin/env", [], environment: ["A": "1=2"], limits: limits()
    ).outcome()
    #expect(outcome.outputText == "A=1=2\n")
    // ls itself has a fourth one open, on the directory.
    #expect(try await shell("ls /proc/self/fd").outcome().outputText == "0\n1\n2\n3\n")
    #expect(try await shell("pwd").outcome().outputText == folder.path + "\n")
  }

  @Test func `input is read whole or not at all`() async throws {
    let bytes = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
    #expect(try await shell("wc -c", input: bytes).outcome().outputText == "3000000\n")
    #expect(try await shell("exit 0", input: bytes).outcome().isSuccess)
    #expect(try await shell("cat").outcome().output == [])
  }

  @Test func `the deadline ends everything that was started`() async throws {
    let script = """
      (trap '' TERM; echo "$$" > parent; sh -c 'echo $$ > child; exec sleep 600') &
      sh -c 'echo $$ > other; exec sleep 600' | cat &
      while [ ! -s child ] || [ ! -s other ]; do sleep 0.01; done
      touch ready; exec sleep 600
      """
    var limits = limits(deadline: .seconds(5))
    limits.grace = .milliseconds(300)
    let call = shell(script, limits: limits)
    await #expect(throws: ProgramError.deadline(program: "sh", .seconds(5))) {
      try await call.outcome()
    }
    #expect(FileManager.default.fileExists(atPath: folder.path("ready")))
    for file in ["parent", "child", "other"] {
      #expect(try becomesTrue { try !isAlive(file) }, "\(file)")
    }
  }

  @Test func `a program that takes no request to end is killed`() async throws {
    var limits = limits(deadline: .milliseconds(500))
    limits.grace = .milliseconds(200)
    let call = shell("trap '' TERM; echo $$ > own; while :; do sleep 0.1; done", limits: limits)
    await #expect(throws: ProgramError.self) { try await call.outcome() }
    #expect(try !isAlive("own"))
  }

  @Test func `what a program leaves behind neither keeps us waiting nor lives on`() async throws {
    let begin = ContinuousClock.now
    let outcome = try await shell(
      "sh -c 'echo $$ > left; exec sleep 600' & while [ ! -s left ]; do sleep 0.01; done; echo done"
    ).outcome()
    #expect(outcome.isSuccess && outcome.outputText == "done\n")
    #expect(.now - begin < .seconds(30))
    #expect(try becomesTrue { try !isAlive("left") })
  }

  @Test func `output has a limit and errors keep their end`() async throws {
    var limits = limits()
    limits.outputByteCountMax = 100_000
    await #expect(throws: ProgramError.overLimit(program: "sh", byteCountMax: 100_000)) {
      try await shell("yes", limits: limits).outcome()
    }
    limits.outputExcess = .isForgotten
    let kept = try await shell("yes | head -c 1000000; echo last", limits: limits).outcome()
    #expect(kept.isSuccess && kept.outputText.hasSuffix("last\n"))
    #expect(kept.output.count == 100_000)
    limits.errorByteCountMax = 10
    let outcome = try await shell("yes | head -c 1000000 >&2; echo last >&2", limits: limits)
      .outcome()
    #expect(outcome.isSuccess && outcome.errorText.hasSuffix("last\n"))
    #expect(outcome.errors.count == 10)
  }

  @Test func `a program that is not there is named`() async throws {
    func call(_ path: String, in directory: String? = nil) -> ProgramCall {
      ProgramCall(path, [], environment: [:], in: directory, limits: limits())
    }
    let none = folder.path("none")
    await #expect(throws: ProgramError.missing(none)) { try await call(none).outcome() }
    let text = try folder.write("text", "no program")
    await #expect(throws: ProgramError.missing(text)) { try await call(text).outcome() }
    await #expect(throws: ProgramError.directoryMissing(none)) {
      try await call("/bin/true", in: none).outcome()
    }
  }

  @Test func `a stop ends what runs and what would begin`() async throws {
    let stop = try ProgramStop()
    let marker = folder.path("running")
    async let stopping: Void = onThread {
      _ = becomesTrue { FileManager.default.fileExists(atPath: marker) }
      stop.set()
    }
    let call = shell("echo $$ > own; touch running; exec sleep 600")
    await #expect(throws: ProgramError.stopped(program: "sh")) {
      try await call.outcome(until: stop)
    }
    try await stopping
    #expect(try !isAlive("own") && stop.isSet)
    await #expect(throws: ProgramError.stopped(program: "sh")) {
      try await call.outcome(until: stop)
    }
  }

  @Test func `a stop ends what is no program as well, while it runs and before it begins`() throws {
    let stop = try ProgramStop()
    let count = Mutex(0)
    stop.whenSet({ count.withLock { $0 += 1 } }) {}
    stop.whenSet({ count.withLock { $0 += 1 } }) { stop.set() }
    #expect(count.withLock { $0 } == 1)
    stop.whenSet({ count.withLock { $0 += 1 } }) { #expect(count.withLock { $0 } == 2) }
    stop.set()
    #expect(count.withLock { $0 } == 2)
  }

  @Test func `many run side by side`() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<40 {
        let call = shell("sleep 0.2; echo \(number)")
        group.addTask {
          try await call.outcome().outputText
        }
      }
      var texts: Set<String> = []
      for try await text in group { texts.insert(text) }
      #expect(texts.count == 40)
    }
  }
}

extension ProgramCall {
  fileprivate func outcome(until stop: ProgramStop? = nil) async throws -> ProgramOutcome {
    try await onThread { try run(until: stop) }
  }
}
