import GitModel
import Mailboxes
import MessageFormat

// What an operator's command has to say before a step.
extension Pipeline {
  /// It was permitted as it is, and takes no more messages.
  func isPermitted(_ batch: Batch) -> Bool {
    commands.isKnown(.mayBegin, of: batch.name, for: batch.checkout.settings.path)
  }

  /// `nil`: the command runs.
  func permission(for batch: Batch) throws -> CommandThreads.Verdict? {
    let checkout = batch.checkout
    guard checkout.settings.commands.beforeApply != nil, let last = batch.patches.last else {
      return .good
    }
    let message = last.message
    let head = checkout.head?.revision
    let directory = try head.map { try apply.deployment(of: checkout).directory(of: $0) }
    let asked = StepCommands(
      commands: checkout.settings.commands,
      step: StepCommands.Facts(
        stream: message.stream, before: head, after: message.after.revision,
        sequence: message.sequence, directory: directory ?? checkout.path, isFirst: checkout.isMade,
        changedPaths: Array(batch.changes.keys)))
    return try commands.verdict(on: .mayBegin, of: batch.name, for: checkout.settings.path) {
      asked.mayBegin(until: $0)
    }
  }

  /// All of it is checked anew once the command has ended.
  func wait(for batch: Batch) throws -> Set<MessageID> {
    let path = batch.checkout.settings.path
    faults.hold(batch.patches, for: path)
    faults.beginWork(path)
    try batch.checkout.discardIfMade()
    return []
  }

  func veto(_ batch: Batch, _ reason: String) throws -> Set<MessageID> {
    let path = batch.checkout.settings.path
    commands.forget(path)
    try batch.checkout.discardIfMade()
    let refused = batch.patches.map {
      RefusedMessage(.admitted($0.admitted), Refused(.vetoed, reason))
    }
    let revision = batch.checkout.head?.revision
    try answer.answer(refused.map { Outcome($0, revision: revision) })
    for message in refused { log.report(.refused(message)) }
    onAnswer()
    return Set(refused.map(\.stored.id))
  }
}

extension Batch {
  /// Tells this step from others of the checkout.
  fileprivate var name: String {
    let after = patches.last?.message.after.revision.hex ?? "-"
    return "\(checkout.head?.revision.hex ?? "-") \(after)"
  }
}
