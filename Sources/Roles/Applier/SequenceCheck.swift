import MessageFormat

/// A stream's messages come in the signer's order, each once: no replay, no rollback, no second history.
struct SequenceCheck {
  let inbox: Inbox

  /// `last`: the message before it, if it was checked and is not yet recorded.
  func require(_ opened: OpenedMessage, behind last: CheckedPatch?) throws {
    let message = opened.message
    let seen: Inbox.Seen?
    if let last, last.message.signer == message.signer {
      seen = Inbox.Seen(sequence: last.message.sequence, digest: last.digest)
    } else {
      seen = try inbox.seen(of: message)
    }
    guard let seen else { return }
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
