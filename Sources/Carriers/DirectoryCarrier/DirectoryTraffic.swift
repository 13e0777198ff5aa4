package import CarrierProtocol
package import SharedFiles

/// What a run of the carrier has under way. Belongs to one thread.
package final class DirectoryTraffic {
  private static let upkeepInterval: Duration = .seconds(3_600)

  private let path: String
  private let gate: FolderStep.Gate
  private let remains: RemainsAge
  private let outgoing: OutgoingMail
  private let incoming: IncomingMail
  private var upkeep: ContinuousClock.Instant?

  package convenience init(
    _ port: CarrierPort, _ plan: DirectoryPlan, remains: RemainsAge = .standard,
    gate: @escaping FolderStep.Gate = { _ in }
  ) {
    self.init(
      port, plan, DirectoryReports(port, place: plan.place), remains: remains, gate: gate)
  }

  init(
    _ port: CarrierPort, _ plan: DirectoryPlan, _ reports: DirectoryReports,
    remains: RemainsAge = .standard, gate: @escaping FolderStep.Gate = { _ in }
  ) {
    (path, self.gate, self.remains) = (plan.place, gate, remains)
    outgoing = OutgoingMail(port, fileByteCount: plan.fileByteCount, reports)
    incoming = IncomingMail(port, reports)
  }

  /// Looks once, and moves all that can be moved. `proceed` is called between small steps, and ends it by an error.
  ///
  /// A directory that takes nothing is read all the same: what is taken out of it may make room.
  package func look(
    at now: ContinuousClock.Instant = .now, proceed: () throws -> Void = {}
  ) throws {
    let directory = try CarriedDirectory(path, gate: gate)
    let faults = [
      try fault(of: { try outgoing.removeAcknowledged(from: directory) }),
      try fault(of: { try outgoing.deposit(into: directory, at: now, proceed: proceed) }),
      try fault(of: { try incoming.collect(from: directory, at: now, proceed: proceed) }),
      try fault(of: { try tidy(directory, at: now) }),
    ]
    if let first = faults.compactMap({ $0 }).first { throw first }
  }

  private func fault(of step: () throws -> Void) throws -> FolderError? {
    do {
      try step()
      return nil
    } catch let error as FolderError {
      return error
    }
  }

  private func tidy(_ directory: CarriedDirectory, at now: ContinuousClock.Instant) throws {
    if let time = upkeep, time > now { return }
    upkeep = now + Self.upkeepInterval
    try outgoing.tidy(directory, remains)
    try incoming.tidy(directory, remains)
  }
}
