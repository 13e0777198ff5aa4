import CarrierProtocol
import DirectoryCarrier
import Foundation
import Glibc
import Logging
import MessageFormat
import Sodium
import TestSupport

/// (q): messages by way of a directory, and files of as many bytes that are written, synced and renamed by themselves.
struct DirectoryRow {
  private static let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

  let workspace: Workspace
  let scale: Scale

  private struct Rates {
    var out: [Double] = []
    var `in`: [Double] = []
    var plain: [Double] = []
  }

  func measure() throws -> [Measurement] {
    let count = scale.isShort ? 200 : 1_000
    let byteCount = (scale.isShort ? 32 : 256) << 20
    let small = try rates(of: count, byteCount: 1_024) { Double(count) / $0 }
    let large = try rates(of: 1, byteCount: byteCount) { Double(byteCount) / $0 }
    func row(
      _ what: String, _ ours: [Double], _ plain: [Double], _ text: (Double) -> String,
      _ goal: Double
    )
      -> Measurement
    {
      Measurement(
        name: "(q) directory: \(what), and files written, synced and renamed",
        ours: text(median(ours)), theirs: text(median(plain)), ratio: median(ours) / median(plain),
        goal: .atLeast(goal))
    }
    let perSecond = { number($0) + "/s" }
    let size = "\(byteCount >> 20) MiB"
    return [
      row("messages of 1 KiB left", small.out, small.plain, perSecond, 0.5),
      row("messages of 1 KiB taken", small.in, small.plain, perSecond, 0.5),
      row("\(size) left", large.out, large.plain, rate, 0.6),
      row("\(size) taken", large.in, large.plain, rate, 0.6),
    ]
  }

  private func rates(
    of count: Int, byteCount: Int, _ rate: (Double) -> Double
  ) throws -> Rates {
    var rates = Rates()
    for _ in 0..<3 {
      defer { workspace.discard(["sender", "reader", "stick", "plain"]) }
      let (sender, reader) = (
        try CarrierEnd(in: workspace.path("sender")), try CarrierEnd(in: workspace.path("reader"))
      )
      try workspace.makeDirectory("stick")
      _ = try CarriedDirectory.prepare(workspace.path("stick"))
      let letters = (1...UInt32(count)).map {
        Letter($0, payloadByteCount: byteCount, for: [reader.mailbox])
      }
      try sender.put(letters, for: reader.mailbox)
      workspace.settle()
      rates.out.append(rate(try sender.send(count, to: reader.mailbox, by: try carrier())))
      workspace.settle()
      rates.in.append(rate(try reader.receive(count, from: sender.mailbox, by: try carrier())))
      workspace.settle()
      rates.plain.append(rate(try plainSeconds(letters)))
    }
    return rates
  }

  private func carrier() throws -> any Carrier {
    DirectoryPlan(path: workspace.path("stick"), pollInterval: .milliseconds(20)).carrier(
      for: try TestIdentity.make("bench"), peers: [], timeouts: ExchangeTimeouts(),
      log: Self.silent)
  }

  /// One file a message, durable under its name before the next one begins.
  private func plainSeconds(_ letters: [Letter]) throws -> Double {
    try workspace.makeDirectory("plain")
    let directory = open(workspace.path("plain"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(directory) }
    return seconds(
      try ContinuousClock().measure {
        for letter in letters { try write(letter, into: directory) }
      })
  }

  private func write(_ letter: Letter, into directory: Int32) throws {
    func require(_ isDone: Bool) throws {
      guard isDone else { throw ProgramFailure(description: String(cString: strerror(errno))) }
    }
    let file = openat(directory, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    try require(file >= 0)
    defer { close(file) }
    for chunk in letter.chunks {
      try require(
        chunk.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == chunk.count)
    }
    try require(fsync(file) == 0)
    try require(renameat(directory, "new", directory, "\(letter.number)") == 0)
    try require(fsync(directory) == 0)
  }
}
