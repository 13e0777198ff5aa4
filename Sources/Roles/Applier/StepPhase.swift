/// How far a step has come, in this order: where a step can be stopped, and is by tests.
///
/// What is thrown up to `branchLocked` has the step taken back, at `activated` rolled back; between them it is
/// finished by the recovery.
package enum StepPhase: String, CaseIterable, Codable, Sendable {
  /// Objects and files are on the disk, and not visible yet.
  case prepared
  /// git's lock on the index is ours.
  case locked
  /// The packs are in the repository, each with its `.keep`.
  case kept
  /// The journal has the step.
  case recorded
  /// The files of the revision after are in the tree.
  case exchanged
  /// The index that goes with them is on the disk.
  case indexed
  /// git's locks on HEAD and the branch are ours.
  case branchLocked
  case branchMoved
  /// The index is git's.
  case published
  /// The packs are like any others.
  case released
  /// What was replaced is gone.
  case settled
  /// The journal knows that the revision after stands.
  case activated
  case answered
}

/// Called at each phase of a step.
package typealias PhaseObserver = (StepPhase) throws -> Void
