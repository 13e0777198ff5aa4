import Foundation
import MessageFormat
import Signer

/// (d): a snapshot of many large files, from the start of `sign-and-send` to its receipt, and the bare CurveZMQ rate.
struct SnapshotRow {
  let workspace: Workspace
  let scale: Scale

  private static let fileByteCount = 16 << 20
  private static let memoryByteCountMax = 128 << 20

  private struct Run {
    var total = 0.0
    var sealed = 0.0
    var stored = 0.0
    var answered = 0.0
    var signerMemory = 0
    var applierMemory = 0
  }

  private var fileCount: Int { scale.isShort ? 8 : 64 }
  private var byteCount: Int { fileCount * Self.fileByteCount }

  func measure() throws -> Measurement {
    try makeRepository()
    var runs: [Run] = []
    var curve: [Double] = []
    for _ in 0..<scale.runCount {
      workspace.settle()
      curve.append(
        try BareCurve(frameByteCount: Limits.chunkByteCountMax)
          .bytesPerSecond(byteCount: byteCount))
      runs.append(try run())
    }
    let ours = Double(byteCount) / median(runs.map(\.total))
    return Measurement(
      name: "(d) snapshot of \(byteCount >> 20) MiB, random bytes, and bare CurveZMQ",
      ours: rate(ours), theirs: rate(median(curve)), ratio: ours / median(curve),
      goal: .atLeast(0.6), notes: notes(runs))
  }

  private func notes(_ runs: [Run]) -> [String] {
    func stage(_ value: (Run) -> Double) -> String { number(median(runs.map(value))) + " s" }
    let signer = runs.map(\.signerMemory).max() ?? 0
    let applier = runs.map(\.applierMemory).max() ?? 0
    let isFlat = max(signer, applier) < Self.memoryByteCountMax
    return [
      "pack + hash + compress + seal \(stage(\.sealed)); deposit + durable \(stage(\.stored)); "
        + "open + index + write \(stage(\.answered)); all \(stage(\.total))",
      "peak memory: signer \(signer >> 20) MiB, applier \(applier >> 20) MiB; "
        + "goal < 128 MiB: \(isFlat ? "met" : "MISSED")",
    ]
  }

  private func makeRepository() throws {
    try workspace.git("init", "--quiet", "large", in: "")
    var generator = SystemRandomNumberGenerator()
    for number in 0..<fileCount {
      var content = Data(capacity: Self.fileByteCount)
      for _ in 0..<Self.fileByteCount / 8 {
        withUnsafeBytes(of: generator.next()) { content.append(contentsOf: $0) }
      }
      try content.write(to: URL(fileURLWithPath: workspace.path("large/file\(number).bin")))
    }
    try workspace.git("add", ".", in: "large")
    try workspace.git("commit", "--quiet", "--message", "Large files", in: "large")
  }

  private func run() throws -> Run {
    let pair = try Pair(workspace, "pair", repository: "large", checkout: "checkout")
    defer {
      pair.stopDaemon()
      workspace.discard(["pair", "checkout"])
    }
    try pair.startDaemon()
    workspace.settle()
    let tip = try workspace.revision("HEAD", in: "large")
    let start = ContinuousClock.now
    let began = Date().timeIntervalSince1970
    let zeros = String(repeating: "0", count: 40)
    let program = try pair.startHook("\(zeros) \(tip) refs/heads/main\n")
    var run = Run()
    let spool = workspace.path(pair.signerState + "/spool")
    while program.isRunning {
      usleep(5_000)
      run.signerMemory = max(run.signerMemory, program.peakMemory ?? 0)
      guard run.sealed == 0 else { continue }
      let names = FileManager.default.subpaths(atPath: spool) ?? []
      if names.contains(where: { $0.hasSuffix(".sealed") }) {
        run.sealed = seconds(ContinuousClock.now - start)
      }
    }
    run.total = seconds(try program.wait())
    run.applierMemory = pair.daemonMemory ?? 0
    guard try workspace.revision("HEAD", in: "checkout") == tip else {
      throw ProgramFailure(description: "the snapshot was not applied")
    }
    let outbox = try Outbox(directory: workspace.path(pair.signerState))
    guard let sent = try outbox.newest().first, let stored = sent.storedAt else {
      throw ProgramFailure(description: "the outbox does not know of the snapshot")
    }
    run.stored = Double(stored.milliseconds) / 1_000 - began - run.sealed
    run.answered = run.total - run.sealed - run.stored
    return run
  }
}
