/// Why an applier did not apply a message: everything that a peer can cause, under a name that never changes.
///
/// docs/reference/refusals.md tells operators what each means and what to do.
package enum Refusal: String, Error, Sendable, CaseIterable {
  // Open
  case malformed = "malformed"
  case tampered = "tampered"
  case notARecipient = "not-a-recipient"
  case unknownSigner = "unknown-signer"
  case badSignature = "bad-signature"
  case expired = "expired"
  case clockSkew = "clock-skew"
  case overLimit = "over-limit"
  // Check
  case replayed = "replayed"
  case forked = "forked"
  case remoteMismatch = "remote-mismatch"
  case branchMismatch = "branch-mismatch"
  case empty = "empty"
  case unsafePath = "unsafe-path"
  case unusualPath = "unusual-path"
  case symbolicLink = "symbolic-link"
  case notPermitted = "not-permitted"
  case doesNotApply = "does-not-apply"
  case treeMismatch = "tree-mismatch"
  case commitMismatch = "commit-mismatch"
  case invalidPack = "invalid-pack"
  case localChanges = "local-changes"
  case foreignCommit = "foreign-commit"
  case checkoutUnusable = "checkout-unusable"
  case goingBack = "going-back"
  case largeFileMissing = "large-file-missing"
  case invalidLargeFile = "invalid-large-file"
  case invalidSubmodule = "invalid-submodule"
  // Apply
  case vetoed = "vetoed"
  case rolledBack = "rolled-back"
  case unhealthy = "unhealthy"
  case unprocessable = "unprocessable"
}
