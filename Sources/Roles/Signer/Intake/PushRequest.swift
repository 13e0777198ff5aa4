/// What somebody on this machine asks a signer to send. A hint: the signer reads the repository itself.
package struct PushRequest: Sendable {
  package enum Subject: Sendable {
    /// Lines of a `post-receive` hook.
    case pushes(PushLines)
    /// A branch of this name.
    case branch(ref: String, from: Sending.Start, to: String?)
    /// What waits in the outbox, and nothing new.
    case outbox
    /// Something has moved in the repository that is named, as a code host says: these refs, or any where there are none.
    case moved(refs: [String])
  }

  /// The name that both sides have for the repository, or its upstream; or where it lies, or a directory from which it is
  /// meant, absolute.
  package var repository: String
  /// The repository was named; otherwise the only one that is configured may be meant.
  package var isNamed: Bool
  package var subject: Subject
  /// How long nothing may move before the wait for receipts ends; zero: there is no wait.
  package var patience: Duration
  /// How many recipients of a branch are enough; `nil`: all of them.
  package var quorum: Int?
  /// Asked by a program that need not have the rights of the signer: only what branches hold may be sent.
  var isHint: Bool

  package init(
    repository: String, isNamed: Bool, subject: Subject, patience: Duration, quorum: Int? = nil,
    isHint: Bool = false
  ) {
    self.repository = repository
    self.isNamed = isNamed
    self.subject = subject
    self.patience = patience
    self.quorum = quorum
    self.isHint = isHint
  }
}

/// What a request comes to, while it is handled.
package enum IntakeReport: Sendable, Codable {
  case progress(step: SendProgress.Step, done: UInt64, total: UInt64)
  /// Something that a person wants to know, and that is no fault.
  case notice(String)
  /// Something that could not be done; the rest goes on.
  case failure(message: String, hint: String?)
  /// The last word on one recipient.
  case arrival(Arrivals.Arrival)
}

/// What a request came to as a whole.
package struct IntakeResult: Sendable, Codable {
  package let verdict: Arrivals.Verdict
  /// Of what was asked, so much could not be sent at all.
  package let failureCount: Int
  /// Some recipients' messages wait in the outbox for a carrier that could not be reached.
  package let hasUnstored: Bool
}
