package import Programs
package import WebClient

/// What an operator has run around the steps of a checkout, and how it is found out whether a revision works there. From the
/// configuration alone: nothing that a message or a repository says is ever run.
package struct CheckoutCommands: Hashable, Sendable {
  /// Before anything changes; it may forbid the step.
  package let beforeApply: ConfiguredProgram?
  /// Once the new revision stands; where it fails, the step has failed.
  package let afterApply: ConfiguredProgram?
  /// Once a step has failed, and was taken back where it could be.
  package let onFailure: ConfiguredProgram?
  package let health: HealthCheck?

  package static let none = CheckoutCommands()

  package init(
    beforeApply: ConfiguredProgram? = nil, afterApply: ConfiguredProgram? = nil,
    onFailure: ConfiguredProgram? = nil, health: HealthCheck? = nil
  ) {
    self.beforeApply = beforeApply
    self.afterApply = afterApply
    self.onFailure = onFailure
    self.health = health
  }

  /// A step is applied only once these have said so.
  var areToConfirm: Bool { afterApply != nil || health != nil }

  package var programs: [ConfiguredProgram] {
    var programs = [beforeApply, afterApply, onFailure].compactMap { $0 }
    if case .run(let program)? = health?.probe { programs.append(program) }
    return programs
  }
}

/// How it is found out whether a revision works: tried once a second until it does.
package struct HealthCheck: Hashable, Sendable {
  package enum Probe: Hashable, Sendable {
    /// Healthy: a status of 200 to 299. Redirects are not followed.
    case get(WebAddress)
    /// Healthy: the exit status 0.
    case run(ConfiguredProgram)
  }

  package enum Failure: String, Sendable, CaseIterable {
    case rollBack = "roll-back"
    case keep
  }

  package let probe: Probe
  /// A revision that does not work by then has failed.
  package let deadline: Duration
  package let onFailure: Failure

  package init(_ probe: Probe, deadline: Duration, onFailure: Failure = .rollBack) {
    self.probe = probe
    self.deadline = deadline
    self.onFailure = onFailure
  }
}
