package import MessageFormat

/// What a mailbox is called at a server (docs/message-format.md, "Broker messages").
package enum NATSNames {
  /// The consumer by which a reader empties its stream.
  package static let consumer = "reader"

  package static func stream(of mailbox: Mailbox) -> String { "distro-\(mailbox.hex)" }

  /// All that the stream of a mailbox keeps.
  package static func subjects(of mailbox: Mailbox) -> String { "distro.\(mailbox.hex).>" }

  /// Where one message goes. What has a slot takes the place of what had it before: a stream keeps one message a subject.
  /// So a sender writes over its own messages alone, where it may publish below its own name alone.
  static func subject(
    of message: BrokerMessage, into mailbox: Mailbox, from sender: Mailbox
  ) -> String {
    let name = message.slot.map { "slot.\($0.hex)" } ?? message.id.hex
    return "distro.\(mailbox.hex).\(sender.hex).\(name).\(message.first)"
  }

  /// No stream has it, and whoever may publish at all may publish to it.
  package static func nobodysSubject(from sender: Mailbox) -> String {
    "distro.doctor.\(sender.hex).0"
  }

  /// Answers to one machine come below this, and nobody else listens there.
  package static func inbox(of mailbox: Mailbox) -> String { "_INBOX.\(mailbox.hex)" }
}

/// The least that a user needs who has a mailbox, as a server's `permissions` say it.
package struct NATSPermissions {
  package let publish: [String]
  package let subscribe: [String]

  package init(for mailbox: Mailbox) {
    let (stream, reader) = (NATSNames.stream(of: mailbox), NATSNames.consumer)
    publish = [
      "distro.*.\(mailbox.hex).>",
      "$JS.API.STREAM.INFO.\(stream)",
      "$JS.API.STREAM.NAMES",
      "$JS.API.CONSUMER.INFO.\(stream).\(reader)",
      "$JS.API.CONSUMER.DURABLE.CREATE.\(stream).\(reader)",
      "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(reader)",
      "$JS.ACK.\(stream).\(reader).>",
    ]
    subscribe = ["\(NATSNames.inbox(of: mailbox)).>"]
  }

  package init(publish: [String], subscribe: [String]) {
    (self.publish, self.subscribe) = (publish, subscribe)
  }

  /// With this one besides, its daemon makes the stream itself.
  package static func making(_ mailbox: Mailbox) -> String {
    "$JS.API.STREAM.CREATE.\(NATSNames.stream(of: mailbox))"
  }
}
