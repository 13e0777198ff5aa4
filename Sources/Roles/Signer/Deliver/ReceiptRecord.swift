import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// One verified receipt on its way into the state, within a transaction.
struct ReceiptRecord {
  /// What a receipt says of its message; a block answers nothing.
  private enum Kind { case answer, refusal, block }

  private let receipt: Receipt
  private let now: Timestamp
  private let database: Database

  init(_ receipt: Receipt, at now: Timestamp, in database: Database) {
    (self.receipt, self.now, self.database) = (receipt, now, database)
  }

  func write() throws -> ReceiptReader.Reading {
    guard let question = try ReceiptQuestion(of: receipt, in: database) else { return .unasked }
    if let field = try question.mismatch(with: receipt, in: database) {
      return .mismatch(field: field)
    }
    if case .blocked(let reason, let detail) = receipt.outcome {
      return try writeBlock(reason, detail, of: question)
    }
    guard let word = RecipientWord(receipt, to: question) else { return .unasked }
    // The first answer stands: an applier answers a message once.
    guard question.isOpen else { return .known }
    try close(question.message, with: word)
    guard try isNews(word.standing == .refused ? .refusal : .answer, of: question) else {
      return .news
    }
    // Mailboxes are in order: what was sent before it, and has no answer, will not get one that matters.
    try Outbox.settle(
      upTo: question.sequence - 1, of: receipt.applier, on: question.stream, in: database)
    try update(question, word)
    if word.refusal == .replayed || word.refusal == .forked { try skipNumbers(before: question) }
    return .news
  }

  /// Answers nothing: the message, and those before it, still wait there and are answered later.
  private func writeBlock(
    _ reason: BlockReason, _ detail: String, of question: ReceiptQuestion
  ) throws -> ReceiptReader.Reading {
    guard try isNews(.block, of: question) else { return .known }
    try database.cachedStatement(
      sql: """
        UPDATE recipient SET standing = 'blocked', block = ?3, blockDetail = ?4, seenAt = ?5,
        tree = CASE WHEN ?6 IS NULL OR revision IS ?6 THEN tree END,
        revision = IFNULL(?6, revision) WHERE stream = ?1 AND mailbox = ?2
        """
    ).execute(arguments: [
      question.stream, receipt.applier, reason.rawValue, detail, min(receipt.finishedAt, latest),
      receipt.revision,
    ])
    return .news
  }

  private func close(_ message: MessageID, with word: RecipientWord) throws {
    try database.cachedStatement(
      sql: """
        UPDATE answer SET state = ?, refusal = ?, detail = ?, revision = ?, finishedAt = ?
        WHERE message = ? AND recipient = ?
        """
    ).execute(arguments: [
      word.standing.rawValue, word.refusal?.rawValue, word.detail, word.revision,
      receipt.finishedAt, message, receipt.applier,
    ])
  }

  /// A carrier can hold an old word back, or bring it again: only the newest counts. An answer to a message that is younger
  /// than the last answered one is news, whatever the applier's clock says. Of the others, these are not: one from the
  /// future, and the refusal of a message that came after a younger one. A time that was stored while our own clock was
  /// ahead is void.
  private func isNews(_ kind: Kind, of question: ReceiptQuestion) throws -> Bool {
    let row = try Row.fetchOne(
      database.cachedStatement(
        sql: "SELECT sequence, seenAt FROM recipient WHERE stream = ? AND mailbox = ?"),
      arguments: [question.stream, receipt.applier])
    guard let row else { return false }
    let answered = try row.decode(UInt64.self, forColumn: "sequence")
    switch kind {
    case .answer where question.sequence > answered, .refusal where question.sequence > answered:
      return true
    case .refusal where question.sequence < answered: return false
    case .answer, .refusal, .block: break
    }
    guard receipt.finishedAt <= latest else { return false }
    guard let seenAt = try row.decode(Timestamp?.self, forColumn: "seenAt"), seenAt <= latest
    else { return true }
    return receipt.finishedAt > seenAt
  }

  /// What an applier's clock can say when it is right, or nearly.
  private var latest: Timestamp { now.adding(milliseconds: Limits.clockSkewMillisecondsMax) }

  private func update(_ question: ReceiptQuestion, _ word: RecipientWord) throws {
    // A clock that is set right again must not make what it says from then on old news.
    let seenAt = min(receipt.finishedAt, latest)
    let arguments: StatementArguments = [
      question.stream, receipt.applier, word.standing.rawValue, Int64(question.sequence),
      word.revision, word.tree, seenAt,
    ]
    // A refusal need not know the revision, and never knows the tree.
    try database.cachedStatement(
      sql: word.standing == .refused
        ? """
        UPDATE recipient SET standing = ?3, sequence = MAX(sequence, ?4), seenAt = ?7,
        tree = CASE WHEN ?5 IS NULL OR revision IS ?5 THEN tree ELSE ?6 END,
        revision = IFNULL(?5, revision), block = NULL WHERE stream = ?1 AND mailbox = ?2
        """
        : """
        UPDATE recipient SET standing = ?3, sequence = MAX(sequence, ?4), revision = ?5, tree = ?6,
        seenAt = ?7, block = NULL WHERE stream = ?1 AND mailbox = ?2
        """
    ).execute(arguments: arguments)
    switch word.standing {
    case .applied:
      try HealingBudget.restore(of: receipt.applier, of: question.stream, at: now, in: database)
    case .refused:
      try database.cachedStatement(
        sql: """
          UPDATE recipient SET refusal = ?, refusalDetail = ?, refusedAt = ?
          WHERE stream = ? AND mailbox = ?
          """
      ).execute(arguments: [
        word.refusal?.rawValue, word.detail, receipt.finishedAt, question.stream, receipt.applier,
      ])
    case .behind, .current, .blocked: break
    }
  }

  /// Our numbers are older than what an applier has seen: this state is a restored one. What was used before a message
  /// was made is below the time of it.
  private func skipNumbers(before question: ReceiptQuestion) throws {
    try database.execute(
      sql: """
        UPDATE stream SET sequence = MAX(sequence, IFNULL(
          (SELECT createdAt FROM sent WHERE message = ?), 0)) WHERE id = ?
        """, arguments: [question.message, question.stream])
  }
}

/// What an answer comes to.
struct RecipientWord {
  let standing: Recipient.Standing
  let revision: ObjectID?
  let tree: ObjectID?
  var refusal: Refusal?
  var detail: String?

  /// `nil`: it is no answer.
  init?(_ receipt: Receipt, to question: ReceiptQuestion) {
    switch receipt.outcome {
    case .applied(let snapshot):
      (standing, revision, tree) = (.applied, snapshot.revision, snapshot.tree)
    case .behind(let snapshot):
      (standing, revision, tree) = (.behind, snapshot?.revision, snapshot?.tree)
    // Its first receipt was lost on the way, and the message came again.
    case .refused(.replayed, _)
    where receipt.revision != nil && receipt.revision == question.after.revision:
      (standing, revision, tree) = (.applied, receipt.revision, question.after.tree)
    case .refused(let refusal, let text):
      (standing, revision, tree) = (.refused, receipt.revision, nil)
      (self.refusal, detail) = (refusal, text)
    case .blocked: return nil
    }
  }
}
