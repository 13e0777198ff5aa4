package import MessageFormat

/// A message that was taken out of the inbox, and the receipt's outcome.
package struct Answered: Sendable {
  package let message: MessageID
  /// `nil`: it could not be opened, or its signature was not good.
  package let content: Message?
  package let outcome: Receipt.Outcome

  init(_ outcome: Outcome) {
    message = outcome.stored.id
    content = outcome.message
    self.outcome = outcome.outcome
  }
}
