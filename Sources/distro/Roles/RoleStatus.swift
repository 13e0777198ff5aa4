import Diagnostics
import Mailboxes

/// What a role has to say of itself: for people, for machines, and as an exit status.
struct RoleStatus {
  let text: String
  /// `nil`: nothing is known.
  let json: (any Encodable)?
  /// `refused` where somebody should look.
  let exit: ExitStatus
  /// What could not be looked at; told beside the rest.
  let faults: [any Error]

  init(
    text: String, json: (any Encodable)?, exit: ExitStatus = .done, faults: [any Error] = []
  ) {
    (self.text, self.json, self.exit, self.faults) = (text, json, exit, faults)
  }

  /// `look` where there is a state; looking makes none, which would belong to the wrong user.
  static func ofState(
    at directory: String, _ look: () throws -> RoleStatus
  ) throws -> RoleStatus {
    guard try StateDatabase.isThere(in: directory) else {
      return RoleStatus(text: "\(directory): no state yet", json: nil)
    }
    return try look()
  }
}
