extension Mailbox {
  /// The queue that is this mailbox, by AMQP and by STOMP. docs/message-format.md, "Broker messages".
  package var queueName: String { "distro.\(hex)" }

  /// Where what a reader rejects lies for a week: for people to look at.
  package var deadQueueName: String { queueName + ".dead" }
}
