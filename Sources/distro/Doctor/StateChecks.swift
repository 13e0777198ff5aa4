import Diagnostics
import Mailboxes

/// Whether a state directory's database is whole, and what it costs to begin anew where it is not.
struct StateChecks {
  let directory: String
  let role: Role

  func run(_ examination: inout Examination) {
    do {
      guard try StateDatabase.isThere(in: directory) else { return }
      try StateDatabase(reading: directory).check()
      examination.ok(.state, directory, "has a whole database")
    } catch  where error.code == .stateDamaged {
      examination.fail(
        .state, directory, error.message,
        do:
          "stop the service, move the directory away (mv \(directory) \(directory).damaged) and start it "
          + "again: it begins a new state. Then: \(role.afterNewState)")
    } catch {
      examination.fail(.state, directory, error)
    }
  }
}
