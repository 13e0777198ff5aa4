/// Why a checkout cannot be worked on, though no message is at fault: a closed list of names that never change.
///
/// docs/message-format.md says what each means, docs/how-to/recover.md what to do.
package enum BlockReason: String, Sendable, CaseIterable {
  case diskFull = "disk-full"
  case gitLock = "git-lock"
  case permission = "permission"
  case checkoutMismatch = "checkout-mismatch"
  case checkoutUnreadable = "checkout-unreadable"
  case indexDamaged = "index-damaged"
  case objectsDamaged = "objects-damaged"
  case paused = "paused"
  case rolledBack = "rolled-back"
  case unhealthy = "unhealthy"
  case other = "other"
}
