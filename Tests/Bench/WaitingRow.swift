import Foundation
import Mailboxes
import MessageFormat
import Signer
import TestSupport

/// (n): a push to one machine while more and more messages wait for another one that the relay does not know.
struct WaitingRow {
  let workspace: Workspace
  let scale: Scale

  private var counts: [Int] { scale.isShort ? [10, 100, 1_000] : [10, 100, 1_000, 10_000] }

  func measure() throws -> [Measurement] {
    let pushCount = scale.runCount
    try History(fileCount: 10, commitCount: (counts.count + 1) * pushCount).make(
      "shop.git", in: workspace)
    try History.checkOut("shop.git", to: "checkout", origin: Pair.remote, in: workspace)
    let pair = try Pair(
      workspace, "waiting", repository: "shop.git", checkout: "checkout", by: .relay,
      absent: "absent")
    try pair.startDaemon()
    defer { pair.stopDaemon() }
    var commits = try History.commits(of: "shop.git", in: workspace)[...]
    var before = try workspace.revision("base", in: "shop.git")
    func push() throws -> Double {
      let times = try (0..<pushCount).map { _ in
        let commit = commits.removeFirst()
        let time = try pair.startPush(of: commit, behind: before).wait()
        before = commit
        try workspace.require(commit, in: "checkout")
        return seconds(time)
      }
      return median(times)
    }
    let alone = try push()
    var stored = 0
    return try counts.map { count in
      try leave(stored..<count, in: pair)
      stored = count
      let time = try push()
      return Measurement(
        name: "(n) hook to applied while \(count) messages wait for another machine, and none",
        ours: milliseconds(time), theirs: milliseconds(alone), ratio: time / alone,
        goal: .atMost(1.5))
    }
  }

  private func leave(_ numbers: Range<Int>, in pair: Pair) throws {
    let store = try MailboxStore(
      state: StateDatabase.signer(directory: workspace.path(pair.signerState)))
    let absent = TestIdentity.mailbox("absent")
    for first in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 500) {
      let messages = try (first..<min(first + 500, numbers.upperBound)).map { number in
        let letter = Letter(UInt32(number + 1), payloadByteCount: 1_000, for: [absent])
        let message = try MessageWriter(
          letter.offer(for: [absent]), from: try pair.signer, into: store)
        for chunk in letter.chunks { try message.append(chunk) }
        return message
      }
      try store.commit(
        messages, at: Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000)))
    }
    try store.state.queue.close()
  }
}
