/// How far a step has come, in this order: where a step can be stopped, and is by tests.
///
/// What is thrown up to `branchLocked` has the step taken back; later on, its completion finishes it.
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
  /// The journal knows that the revision after is of no use.
  case failed
  /// The revision before stands again, where it could be put back.
  case rolledBack
  case answered

  /// Those that a step comes through whose revision works.
  package static let ofWorkingSteps = allCases.filter { ![.failed, .rolledBack].contains($0) }
}

/// Called at each phase of a step.
package typealias PhaseObserver = (StepPhase) throws -> Void
