import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing

extension Pipeline {
  /// That what `body` deposits is refused under this name, that the signer is told so, and that nothing has changed.
  func expectRefusal(
    _ refusal: Refusal, leavingObjects: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) throws {
    let answers = try answersWithoutChange(leavingObjects, sourceLocation, body)
    #expect(
      answers.last?.refusal == refusal, "\(answers.map(\.outcome))", sourceLocation: sourceLocation)
  }

  /// The same for an answer that is no refusal.
  func expectUnchanged(
    _ outcome: Receipt.Outcome, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
  ) throws {
    let answers = try answersWithoutChange(false, sourceLocation, body)
    #expect(answers.last?.outcome == outcome, sourceLocation: sourceLocation)
  }

  private func answersWithoutChange(
    _ leavingObjects: Bool, _ sourceLocation: SourceLocation, _ body: () throws -> Void
  ) throws -> [Receipt] {
    let before = try PipelineWorkingCopy(checkout.path)
    try body()
    try transfer()
    try work()
    let answers = try receipts()
    let after = try PipelineWorkingCopy(checkout.path)
    // Objects that nothing refers to are no change that git can see.
    let difference = after.difference(from: before)
      .filter { !leavingObjects || !$0.hasPrefix("./.git/objects/") }
    #expect(difference == [], sourceLocation: sourceLocation)
    return answers
  }

  /// What the checkout is at.
  func current() throws -> Snapshot {
    Snapshot(revision: try checkout.id(), tree: try checkout.tree())
  }

  func expectRefusal(
    _ refusal: Refusal, of forgery: Forgery, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expectRefusal(refusal, sourceLocation: sourceLocation) {
      try deposit(forgery)
    }
  }

  /// That the next honest push arrives, after whatever came before it.
  func expectNextPushArrives(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try source.commit(["next-\(UUID().uuidString)": "next\n"])
    let answers = try push()
    #expect(
      answers.count == 1 && answers.allSatisfy { $0.refusal == nil },
      "\(answers.map(\.outcome))", sourceLocation: sourceLocation)
    try expectEqual(sourceLocation: sourceLocation)
  }

  /// That the checkout is the source's revision in every way that git can see.
  func expectEqual(
    to revision: String = "main", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try checkout.id() == source.id(revision), sourceLocation: sourceLocation)
    #expect(try checkout.tree() == source.tree(revision), sourceLocation: sourceLocation)
    #expect(try checkout.status() == "", sourceLocation: sourceLocation)
    #expect(try checkout.fsck() == "", sourceLocation: sourceLocation)
  }
}

extension WaitingMessage {
  /// In the one mailbox in which it was found.
  init(_ message: StoredMessage) {
    self.init(message: message, mailboxes: [message.mailbox], slot: nil)
  }
}
