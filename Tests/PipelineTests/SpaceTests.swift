import Foundation
import GRDB
import Mailboxes
import MessageFormat
import Signer
import TestSupport
import Testing

/// What states remember is bounded, and what they forget leaves the disk.
struct SpaceTests {
  private func answers(_ pipeline: Pipeline) throws -> Int? {
    try pipeline.outbox.store.state.queue.read {
      try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM answer")
    }
  }

  private func pipeline(_ change: (inout OutboxMemory) -> Void) throws -> Pipeline {
    var options = PipelineOptions()
    change(&options.memory)
    return try Pipeline.started(options)
  }

  private func send(_ pipeline: Pipeline, _ numbers: ClosedRange<Int>) throws {
    for number in numbers {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
  }

  @Test func `settled answers are forgotten by their number, and the newest one is not`() throws {
    let pipeline = try pipeline { $0.answerCountMax = 1 }
    for number in 2...25 {
      try send(pipeline, number...number)
      _ = try pipeline.deliver()
    }
    #expect(try answers(pipeline) == 20)
    #expect(try pipeline.outbox.newest().map(\.state) == [.applied])
  }

  /// They wait for an answer, and go when they have it.
  @Test func `answers that are still to come are forgotten when they have come`() throws {
    let pipeline = try pipeline { $0.answerCountMax = 1 }
    try send(pipeline, 2...31)
    #expect(try pipeline.outbox.unstored().count == 30)
    _ = try pipeline.deliver()
    try pipeline.expectEqual()
    #expect(try answers(pipeline) == 20)
  }

  @Test func `settled answers are forgotten by their age`() throws {
    let pipeline = try pipeline { $0.answerMillisecondsMax = 3_600_000 }
    try send(pipeline, 2...4)
    _ = try pipeline.deliver()
    #expect(try answers(pipeline) == 4)
    pipeline.clock.advance(seconds: 3_601)
    try send(pipeline, 5...5)
    _ = try pipeline.deliver()
    #expect(try answers(pipeline) == 1)
    #expect(try pipeline.outbox.newest().map(\.state) == [.applied])
  }

  @Test func `an applier's database gives space back`() throws {
    let pipeline = try Pipeline.started()
    let store = pipeline.store
    let other = pipeline.signer.public.mailbox
    try store.state.queue.write { database in
      try database.execute(sql: "CREATE TABLE ballast (content BLOB)")
      for _ in 0..<200 {
        try database.execute(
          sql: "INSERT INTO ballast VALUES (?)", arguments: [Data(count: 100_000)])
      }
    }
    try store.state.queue.write { try $0.execute(sql: "DROP TABLE ballast") }
    let pages = {
      try store.state.queue.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
    }
    let before = try pages()
    pipeline.clock.advance(seconds: 601)
    for _ in 0..<3 { try pipeline.work() }
    _ = try pipeline.worker.handleNext()
    #expect(try pages() < before / 4)
    #expect(try store.messages(in: other, countMax: 9).isEmpty)
  }
}
