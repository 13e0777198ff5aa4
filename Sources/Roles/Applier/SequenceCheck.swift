import MessageFormat

/// A stream's messages come in the signer's order, each once: no replay, no rollback, no second history.
struct SequenceCheck {
  let inbox: Inbox

  /// `pending`: the messages before it that were checked and are not yet recorded, of whatever signers.
  func require(_ opened: OpenedMessage, behind pending: [CheckedPatch]) throws {
    let message = opened.message
    let last = pending.last { $0.message.signer == message.signer }.map {
      SeenRecord(sequence: $0.message.sequence, digest: $0.digest)
    }
    guard let seen = try last ?? inbox.seen(of: message) else { return }
    guard message.sequence > seen.sequence else {
      throw Refused(
        .replayed,
        "it is number \(message.sequence) of its stream, number \(seen.sequence) was seen already")
    }
    if message.sequence == seen.sequence + 1 && message.previous != seen.digest {
      throw Refused(
        .forked, "it does not follow the message number \(seen.sequence) that was seen here")
    }
  }
}
