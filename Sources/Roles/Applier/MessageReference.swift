import MessageFormat

/// A message that was opened, by what an answer to it names.
struct MessageReference: Sendable {
  let id: MessageID
  let signer: Mailbox
  let stream: StreamName
  let sequence: UInt64
  let receivedAt: Timestamp

  init(_ opened: OpenedMessage) {
    id = opened.stored.id
    signer = opened.message.signer
    stream = opened.message.stream
    sequence = opened.message.sequence
    receivedAt = opened.stored.receivedAt
  }
}
