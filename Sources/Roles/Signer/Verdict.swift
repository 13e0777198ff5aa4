package import MessageFormat

/// What has become of some messages as a whole.
package enum Verdict: Sendable {
  /// Enough recipients of each stream have what they lead to.
  case applied
  /// Too few can, since the others refused.
  case refused
  case open
}

extension Verdict {
  /// `quorum`: how many recipients of a stream are enough; `nil`: all of them.
  package init(
    _ outbox: Outbox, _ settings: SignerSettings, _ messages: [MessageID], quorum: Int?
  ) throws {
    // By stream and recipient, the newest message stands for all.
    var newest: [StreamName: [Mailbox: SentMessage]] = [:]
    for message in try messages.flatMap({ try outbox.answers(to: $0) }) {
      let stream = message.stream
      let last = newest[stream]?[message.recipient]?.sequence ?? 0
      if message.sequence > last { newest[stream, default: [:]][message.recipient] = message }
    }
    let machines = try outbox.machines()
    var result = Verdict.applied
    for answers in newest.values {
      let applied = answers.values.filter { Self.isApplied($0, machines) }.count
      let refused = answers.values.filter {
        $0.state == .refused && !Self.isApplied($0, machines)
      }.count
      // A recipient that got nothing, and that nothing is on its way to, needed nothing.
      let others = Self.recipientCount(of: answers.values.first, settings) - answers.count
      let needed = max(0, min(quorum ?? .max, answers.count + others) - others)
      if applied >= needed { continue }
      if answers.count - refused < needed { self = .refused; return }
      result = .open
    }
    self = result
  }

  private static func isApplied(_ message: SentMessage, _ machines: [Recipient]) -> Bool {
    switch message.state {
    case .applied: true
    case .waiting, .stored: false
    // By another message.
    case .refused, .behind, .superseded:
      machines.contains {
        $0.recipient == message.recipient && $0.stream == message.stream
          && $0.revision == message.after
      }
    }
  }

  private static func recipientCount(
    of message: SentMessage?, _ settings: SignerSettings
  ) -> Int {
    let configured = settings.repositories.first { repository in
      message.map { repository.sends($0.stream) } ?? false
    }
    return configured?.recipients.count ?? 0
  }
}
