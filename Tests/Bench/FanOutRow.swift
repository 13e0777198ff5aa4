import MessageFormat
import TestSupport
import Threads
import ZeroMQ

/// (h): one message of 10 MB to 100 appliers that wait for it, and the same bytes to as many over bare CURVE.
struct FanOutRow {
  let workspace: Workspace
  let scale: Scale

  private static let threadCount = 4

  func measure() throws -> Measurement {
    let clientCount = scale.isShort ? 20 : 100
    let byteCount = 10_000_000
    var (ours, bare): ([Double], [Double]) = ([], [])
    for _ in 0..<scale.runCount {
      bare.append(
        try BareFanOut(clientCount: clientCount, byteCount: byteCount).measure())
      ours.append(try fanOut(clientCount, byteCount))
    }
    return Measurement(
      name: "(h) 10 MB from a signer to \(clientCount) appliers, and bare CURVE sends to as many",
      ours: milliseconds(median(ours)), theirs: milliseconds(median(bare)),
      ratio: median(ours) / median(bare), goal: .atMost(1.5),
      notes: ["from the deposit's begin to the last applier's last chunk"])
  }

  private func fanOut(_ clientCount: Int, _ byteCount: Int) throws -> Double {
    let names = (0..<clientCount).map { "web\($0)" }
    let mailboxes = names.map(TestIdentity.mailbox)
    let relay = try RelayProgram(in: workspace, signers: ["signer"], appliers: names)
    defer { workspace.discard(["relay"]) }
    // Three for each: its socket and its monitor's two.
    let context = try Context(socketCountMax: 3 * (clientCount + 1))
    let readers = try names.map { try relay.applier($0, in: context) }
    for reader in readers {
      try reader.awaitHandshakes(1)
      try reader.askForMail()
    }
    let sender = try relay.signer("signer", in: context)
    try sender.awaitHandshakes(1)
    let letter = Letter(1, payloadByteCount: byteCount, for: mailboxes)
    let failures = Failures()
    let start = ContinuousClock.now
    let threads = try (0..<Self.threadCount).map { number in
      let share = readers.enumerated().filter { $0.offset % Self.threadCount == number }
        .map(\.element)
      return try LoopThread { failures.note { try receiveAll(share) } }
    }
    try sender.deposit(letter, for: mailboxes)
    for thread in threads { thread.join() }
    let elapsed = seconds(ContinuousClock.now - start)
    try failures.rethrow()
    guard readers.allSatisfy({ $0.hasReceived(letter) }) else {
      throw ProgramFailure(description: "somebody did not get everything")
    }
    return elapsed
  }
}
