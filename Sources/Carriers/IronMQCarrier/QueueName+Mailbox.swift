package import IronMQ
package import MessageFormat

extension Mailbox {
  /// The queue that is this mailbox.
  package var ironQueue: QueueName { Self.name("distro-\(hex)") }

  /// Where what a reader rejects lies until it expires: for people to look at.
  package var ironDeadQueue: QueueName { Self.name("distro-\(hex)-dead") }

  private static func name(_ text: String) -> QueueName {
    guard let name = QueueName(text) else { preconditionFailure("hexadecimal digits are a name") }
    return name
  }
}
