package import MessageFormat

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
