package import GitModel
package import MessageFormat
import Signer

/// What the signer knows of one machine on one stream, in the words that leave this machine: names, revisions and the
/// closed list of refusals. What a machine says in its own words stays here; it may name files.
package struct MachineState: Sendable {
  package enum Progress: Equatable, Sendable {
    case applied
    case refused(name: String)
    case pending(String)

    var state: StatusState {
      switch self {
      case .applied: .success
      case .refused: .failure
      case .pending: .pending
      }
    }

    var text: String {
      switch self {
      case .applied: "applied"
      case .refused(let name): "refused: \(name)"
      case .pending(let text): text
      }
    }
  }

  let stream: StreamName
  let mailbox: Mailbox
  let name: String
  let head: ObjectID
  let sequence: UInt64
  /// Towards the stream's head.
  let progress: Progress
  /// What it said that it is at.
  let revision: ObjectID?
  /// The refused message, where its newest one is refused.
  let refusedMessage: MessageID?
  let isUnseen: Bool

  package init(
    stream: StreamName, mailbox: Mailbox, name: String, head: ObjectID, sequence: UInt64,
    progress: Progress, revision: ObjectID? = nil, refusedMessage: MessageID? = nil,
    isUnseen: Bool = false
  ) {
    (self.stream, self.mailbox, self.name) = (stream, mailbox, name)
    (self.head, self.sequence, self.progress) = (head, sequence, progress)
    (self.revision, self.refusedMessage, self.isUnseen) = (revision, refusedMessage, isUnseen)
  }

  init(_ recipient: Recipient, newest: SentMessage?, staleSeconds: UInt64) {
    (stream, mailbox, name) = (recipient.stream, recipient.mailbox, recipient.name)
    (head, sequence, revision) = (recipient.head, recipient.headSequence, recipient.revision)
    let progress = Self.progress(recipient, newest)
    self.progress = progress
    if case .refused = progress { refusedMessage = newest?.id } else { refusedMessage = nil }
    isUnseen = recipient.isUnseen(after: staleSeconds)
  }

  private static func progress(_ recipient: Recipient, _ newest: SentMessage?) -> Progress {
    if let blocked = recipient.blocked { return .pending("blocked: \(blocked.name); retrying") }
    if recipient.standing != nil, recipient.isUpToDate { return .applied }
    guard let newest, newest.after == recipient.head || newest.state == .behind else {
      return .pending("not sent yet")
    }
    return switch newest.state {
    case .refused: .refused(name: newest.refusal ?? "refused")
    case .waiting: .pending("waits in the outbox")
    case .stored: .pending("on its way")
    case .behind where Healing.state(of: recipient) == .givenUp:
      .refused(name: "behind, and stays there")
    case .behind, .applied, .superseded: .pending("at another revision; sending what it lacks")
    }
  }
}

extension Outbox {
  /// Of the machines that are configured, in the order of streams and names.
  func machineStates(
    of repositories: [SignerRepository], staleSeconds: UInt64
  ) throws -> [MachineState] {
    let recipients = try recipients()
    let newest = Dictionary(
      try newest().map { (MachineKey($0.stream, $0.recipient), $0) }
    ) { first, _ in first }
    var senders: [StreamName: Set<Mailbox>] = [:]
    for stream in Set(recipients.map(\.stream)) {
      senders[stream] = Set(
        repositories.first { $0.sends(stream) }?.recipients.map(\.mailbox) ?? [])
    }
    return recipients.filter { senders[$0.stream]?.contains($0.mailbox) == true }.map {
      MachineState(
        $0, newest: newest[MachineKey($0.stream, $0.mailbox)], staleSeconds: staleSeconds)
    }
  }
}

/// One machine on one stream.
struct MachineKey: Hashable, Sendable {
  let stream: StreamName
  let mailbox: Mailbox

  init(_ stream: StreamName, _ mailbox: Mailbox) {
    (self.stream, self.mailbox) = (stream, mailbox)
  }
}
