import Foundation
import GitModel
import Mailboxes
import MessageFormat
import Signer
import TestSupport
import Testing

/// A machine whose reports are lies costs its signer what it would cost as a machine that is really lost, and no more.
struct HealingBudgetTests {
  private func invented(_ number: Int) throws -> ObjectID {
    let digits = String(number)
    return try #require(
      ObjectID(hex: String(repeating: "e", count: 40 - digits.count) + digits))
  }

  /// Packs of all files: three at once, and one more each hour, whatever is said in between.
  @Test(arguments: [true, false])
  func `a machine that alternates current and behind gets no full pack each time`(
    inventsRevisions: Bool
  ) throws {
    let fleet = try HeartbeatFleet.started(["main"])
    let stream = StreamName(remote: Pipeline.remote, branch: fleet.branches[0])
    let here = Snapshot(revision: try fleet.source.id(), tree: try fleet.source.tree("main"))
    let hourCount = 24
    var packCount = 0
    for round in 0..<(hourCount * 3_600 / 331) {
      for waiting in try fleet.beat() {
        try fleet.outbox.markStored([WaitingMessage(waiting)], at: fleet.clock.now)
      }
      // Longer than a machine must be well before it counts as well.
      fleet.clock.advance(seconds: 270)
      let head = try #require(try fleet.outbox.head(of: stream))
      let lie: Report.Standing =
        round % 2 == 0
        ? .current(here)
        : .behind(
          inventsRevisions
            ? Snapshot(revision: try invented(round), tree: try invented(round)) : nil)
      let counter = try fleet.heartbeatCounter()
      _ = try fleet.record(
        Report(
          applier: fleet.machine.public.mailbox, signer: fleet.signer.public.mailbox,
          counter: counter, receivedAt: fleet.clock.now, finishedAt: fleet.clock.now,
          streams: [.init(stream, sequence: head.sequence, standing: lie)]))
      packCount += try fleet.heal().sent.count
    }
    #expect(packCount >= 3)
    #expect(packCount <= 3 + hourCount)
  }
}
