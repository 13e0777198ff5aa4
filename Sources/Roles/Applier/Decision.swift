import GitModel
import Mailboxes
import MessageFormat

/// What a message comes to: every stage either makes what the next one takes, or ends a message with one of these.
enum Decision {
  /// `Apply` brought the checkout there.
  case applied(AppliedPatch)
  /// The checkout is already where the message leads.
  case alreadyThere(AdmittedMessage, Snapshot)
  /// The checkout is not where the message starts: it needs what leads on from here; `nil`: there is nothing.
  case behind(AdmittedMessage, Snapshot?)
  case refused(RefusedMessage)
  /// One decision for all streams that it names.
  case heartbeatAnswered(AnsweredHeartbeat)
  /// A heartbeat without news, or one that cannot be believed: answering each would never end.
  case heartbeatDropped(StoredMessage, Refused)
  /// The machine keeps us from the checkout, and the checkout's share of the inbox is used up: its signer sends it again.
  case declined(RoutedMessage, CheckoutFault)
}

/// What a stage makes of a message.
enum Passage<Next> {
  case next(Next)
  case ends(Decision)
}

/// A message that is not applied because of what a peer did, and how far it came.
struct RefusedMessage {
  enum Stage {
    /// It could not be opened, or its signature was not good.
    case unopened(StoredMessage)
    case opened(OpenedMessage)
    case routed(RoutedMessage)
    /// Its sequence number is used up.
    case admitted(AdmittedMessage)
  }

  let stage: Stage
  let reason: Refused

  init(_ stage: Stage, _ reason: Refused) {
    self.stage = stage
    self.reason = reason
  }

  var stored: StoredMessage {
    switch stage {
    case .unopened(let stored): stored
    case .opened(let opened): opened.stored
    case .routed(let routed): routed.opened.stored
    case .admitted(let admitted): admitted.opened.stored
    }
  }

  var opened: OpenedMessage? {
    switch stage {
    case .unopened: nil
    case .opened(let opened): opened
    case .routed(let routed): routed.opened
    case .admitted(let admitted): admitted.opened
    }
  }

  /// Where it would have been applied.
  var settings: CheckoutSettings? {
    switch stage {
    case .unopened, .opened: nil
    case .routed(let routed): routed.settings
    case .admitted(let admitted): admitted.settings
    }
  }

  var isAdmitted: Bool { if case .admitted = stage { true } else { false } }
}
