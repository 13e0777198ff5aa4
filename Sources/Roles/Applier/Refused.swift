package import MessageFormat

/// The checkout is not where a message starts; thrown like a refusal, and answered without one.
enum RevisionMismatch: Error, Equatable {
  /// It needs what leads on from here; `nil`: there is nothing.
  case behind(Snapshot?)
  /// Where the message leads to.
  case thereAlready(Snapshot)
}

/// A message that is not applied, through what a peer did; thrown from stage to stage, answered in a receipt.
package struct Refused: Error, Equatable {
  package let refusal: Refusal
  /// For people: what was expected, what was found; no secret, no content of files.
  package let detail: String

  package init(_ refusal: Refusal, _ detail: String) {
    self.refusal = refusal
    self.detail = detail
  }
}
