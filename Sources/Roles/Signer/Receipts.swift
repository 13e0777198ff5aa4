import Foundation
import GRDB
import GitModel
import Mailboxes
package import MessageFormat

// What recipients say of themselves, on its way into the state.
extension Outbox {
  package func record(_ receipt: Receipt, at now: Timestamp) throws(SignerError) -> Bool {
    try record([receipt], at: now) == 1
  }

  /// Verified receipts, in one durable step; answers how many said something new.
  ///
  /// One for a message that was never sent, or not to this applier, is dropped; so is one that is older than what its
  /// applier said already.
  package func record(_ receipts: [Receipt], at now: Timestamp) throws(SignerError) -> Int {
    try writing { database in
      try receipts.filter { try Self.record($0, at: now, in: database) }.count
    }
  }

  private static func record(
    _ receipt: Receipt, at now: Timestamp, in database: Database
  ) throws -> Bool {
    guard let question = try question(of: receipt, in: database) else { return false }
    let word = Word(receipt, to: question)
    if word.standing == .blocked {
      return try recordBlock(receipt, to: question, at: now, in: database)
    }
    if let message = question.message {
      // The first answer stands: an applier answers a message once.
      guard question.isOpen else { return false }
      try database.execute(
        sql: """
          UPDATE answer SET state = ?, refusal = ?, detail = ?, revision = ?, finishedAt = ?
          WHERE message = ? AND recipient = ?
          """,
        arguments: [
          word.standing.rawValue, word.refusal?.rawValue, word.detail,
          word.revision.map { Data($0.bytes) }, Int64(receipt.finishedAt.milliseconds),
          Data(message.bytes), Data(receipt.applier.bytes),
        ])
    }
    guard try isNews(receipt, to: question, at: now, in: database) else {
      return question.message != nil
    }
    try settle(question, by: receipt.applier, in: database)
    try update(question, receipt, word, at: now, in: database)
    if word.refusal == .replayed || word.refusal == .forked {
      try skipNumbers(before: question, in: database)
    }
    return true
  }

  /// Answers nothing: the message, and those before it, still wait there and are answered later.
  private static func recordBlock(
    _ receipt: Receipt, to question: Question, at now: Timestamp, in database: Database
  ) throws -> Bool {
    let question = Question(
      stream: question.stream, sequence: question.sequence, message: nil, after: nil, isOpen: false)
    guard try isNews(receipt, to: question, at: now, in: database) else { return false }
    try database.execute(
      sql: """
        UPDATE machine SET standing = 'blocked', seenAt = ?3,
        tree = CASE WHEN ?4 IS NULL OR revision IS ?4 THEN tree END,
        revision = IFNULL(?4, revision) WHERE stream = ?1 AND recipient = ?2
        """,
      arguments: [
        question.stream, Data(receipt.applier.bytes),
        Int64(min(receipt.finishedAt, latest(at: now)).milliseconds),
        receipt.revision.map { Data($0.bytes) },
      ])
    return true
  }

  /// What was answered: a message of ours, or the heartbeat of a stream.
  private struct Question {
    let stream: Int64
    let sequence: UInt64
    /// `nil`: a heartbeat.
    let message: MessageID?
    let after: ObjectID?
    let isOpen: Bool
  }

  /// What an answer comes to.
  private struct Word {
    var standing: Recipient.Standing
    var refusal: Refusal?
    var detail: String?
    var revision: ObjectID?
    var tree: ObjectID?

    init(_ receipt: Receipt, to question: Question) {
      revision = receipt.revision
      switch receipt.outcome {
      case .applied(let snapshot):
        (standing, tree) = (.applied, snapshot.tree)
      case .current(let snapshot):
        (standing, revision, tree) = (.current, snapshot.revision, snapshot.tree)
      case .behind(let snapshot):
        (standing, revision, tree) = (.behind, snapshot?.revision, snapshot?.tree)
      // Its first receipt was lost on the way, and the message came again.
      case .refused(.replayed, _) where receipt.revision == question.after && revision != nil:
        standing = .applied
      case .refused(let refusal, let text):
        (standing, self.refusal, detail) = (.refused, refusal, text)
      case .blocked(let reason, let text):
        (standing, detail) = (.blocked, "\(reason.rawValue): \(text)")
      }
    }
  }

  private static func question(of receipt: Receipt, in database: Database) throws -> Question? {
    let row = try Row.fetchOne(
      database,
      sql: """
        SELECT sent.stream, sent.sequence, sent.after, answer.state FROM answer
        JOIN sent ON sent.message = answer.message WHERE answer.message = ? AND recipient = ?
        """,
      arguments: [Data(receipt.messageID.bytes), Data(receipt.applier.bytes)])
    if let row {
      let state: String = row["state"]
      return Question(
        stream: row["stream"], sequence: UInt64(row["sequence"] as Int64),
        message: receipt.messageID, after: ObjectID(bytes: row["after"] as Data),
        isOpen: ["waiting", "stored", "superseded"].contains(state))
    }
    switch receipt.outcome {
    case .applied, .refused: return nil
    case .behind, .current, .blocked: break
    }
    guard let subject = receipt.subject,
      let stream = try Int64.fetchOne(
        database, sql: "SELECT id FROM stream WHERE remote = ? AND ref = ?",
        arguments: [subject.stream.remote.text, subject.stream.branch.fullName])
    else { return nil }
    return Question(
      stream: stream, sequence: subject.sequence, message: nil, after: nil, isOpen: false)
  }

  /// A carrier can hold an old answer back, or bring it again: only the newest counts. The first answer to a message that
  /// is younger than the last answered one is new, whatever the applier's clock says; of other answers, one from the future
  /// is none.
  private static func isNews(
    _ receipt: Receipt, to question: Question, at now: Timestamp, in database: Database
  ) throws -> Bool {
    let row = try Row.fetchOne(
      database,
      sql: "SELECT sequence, seenAt FROM machine WHERE stream = ? AND recipient = ?",
      arguments: [question.stream, Data(receipt.applier.bytes)])
    guard let row else { return false }
    if question.message != nil, question.sequence > UInt64(row["sequence"] as Int64) { return true }
    guard receipt.finishedAt <= latest(at: now) else { return false }
    guard let seenAt = row["seenAt"] as Int64? else { return true }
    return Int64(receipt.finishedAt.milliseconds) > seenAt
  }

  /// What an applier's clock can say when it is right, or nearly.
  private static func latest(at now: Timestamp) -> Timestamp {
    now.adding(milliseconds: Limits.clockSkewMillisecondsMax)
  }

  /// Mailboxes are in order: what was sent before the answered one, and has no answer, will not get one that matters.
  private static func settle(
    _ question: Question, by recipient: Mailbox, in database: Database
  ) throws {
    // A heartbeat goes out behind the message whose number it has.
    let limit = question.message == nil ? question.sequence : question.sequence - 1
    try database.execute(
      sql: """
        UPDATE answer SET state = 'superseded' WHERE recipient = ?1
        AND state IN ('waiting', 'stored')
        AND message IN (SELECT message FROM sent WHERE stream = ?2 AND sequence <= ?3)
        """,
      arguments: [Data(recipient.bytes), question.stream, Int64(limit)])
  }

  private static func update(
    _ question: Question, _ receipt: Receipt, _ word: Word, at now: Timestamp,
    in database: Database
  ) throws {
    // A clock that is set right again must not make what it says from then on old news.
    let seenAt = min(receipt.finishedAt, latest(at: now))
    let arguments: StatementArguments = [
      question.stream, Data(receipt.applier.bytes), word.standing.rawValue,
      Int64(question.sequence), word.revision.map { Data($0.bytes) },
      word.tree.map { Data($0.bytes) }, Int64(seenAt.milliseconds),
    ]
    // A refusal need not know the revision, and never knows the tree.
    try database.execute(
      sql: word.standing == .refused
        ? """
        UPDATE machine SET standing = ?3, sequence = MAX(sequence, ?4), seenAt = ?7,
        tree = CASE WHEN ?5 IS NULL OR revision IS ?5 THEN tree ELSE ?6 END,
        revision = IFNULL(?5, revision) WHERE stream = ?1 AND recipient = ?2
        """
        : """
        UPDATE machine SET standing = ?3, sequence = MAX(sequence, ?4), revision = ?5, tree = ?6,
        seenAt = ?7 WHERE stream = ?1 AND recipient = ?2
        """, arguments: arguments)
    switch word.standing {
    case .applied, .current:
      try database.execute(
        sql: """
          UPDATE machine SET healCount = 0, healAt = NULL
          WHERE stream = ? AND recipient = ? AND healAt + ? <= ?
          """,
        arguments: [
          question.stream, Data(receipt.applier.bytes), Healing.relapseMilliseconds,
          Int64(now.milliseconds),
        ])
    case .refused:
      try database.execute(
        sql: """
          UPDATE machine SET refusal = ?, refusalDetail = ?, refusedAt = ?
          WHERE stream = ? AND recipient = ?
          """,
        arguments: [
          word.refusal?.rawValue, word.detail, Int64(receipt.finishedAt.milliseconds),
          question.stream, Data(receipt.applier.bytes),
        ])
    case .behind, .blocked: break
    }
  }

  /// Our numbers are older than what an applier has seen: this state is a restored one. What was used before a message
  /// was made is below the time of it.
  private static func skipNumbers(before question: Question, in database: Database) throws {
    guard let message = question.message else { return }
    try database.execute(
      sql: """
        UPDATE stream SET sequence = MAX(sequence, IFNULL(
          (SELECT createdAt FROM sent WHERE message = ?), 0)) WHERE id = ?
        """, arguments: [Data(message.bytes), question.stream])
  }
}
