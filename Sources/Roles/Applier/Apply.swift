import Git
import GitModel
import MessageFormat

/// A message whose revision the checkout is at, or has passed; its receipt can be written.
///
/// Only `Apply` makes one.
struct AppliedPatch {
  let patch: CheckedPatch

  fileprivate init(_ patch: CheckedPatch) { self.patch = patch }
}

/// The third stage: brings a checkout from the revision it is at to the last one of a batch.
struct Apply {
  let journal: Journal
  let onPhase: PhaseObserver

  func deployment(of checkout: Checkout) -> any Deployment {
    checkout.deployment(journal: journal, onPhase: onPhase)
  }

  func apply(_ batch: Batch) throws -> [AppliedPatch] {
    guard !batch.patches.isEmpty else { return [] }
    let deployment = deployment(of: batch.checkout)
    try deployment.prepare(batch)
    try deployment.activate()
    try onPhase(.activated)
    return batch.patches.map { AppliedPatch($0) }
  }
}
