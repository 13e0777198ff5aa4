import CarrierProtocol
import GitModel
import Glibc

/// A fault that a program would have, made by hand: each invariant must notice the one that is its own, or it says nothing
/// about the program either.
enum Sabotage: String, CaseIterable {
  /// A commit of nobody's is put on the branch.
  case unsigned
  /// A checkout goes back to an older revision of its signer's.
  case goingBack
  /// What somebody has edited is replaced.
  case edit
  /// A file is neither the revision's nor anybody's.
  case torn
  /// Receipts of one machine are taken, and forgotten.
  case receipts
  /// What is for one machine is taken for stored, and is gone.
  case messages

  /// What must be said of it.
  var invariants: Set<String> {
    switch self {
    case .unsigned: ["never an unsigned revision in a checkout"]
    case .goingBack: ["never back behind what was reached"]
    case .edit: ["nobody's edit is lost"]
    case .torn: ["files are those of the revision"]
    case .receipts: ["status of the signer is true", "no message is lost"]
    case .messages:
      ["no message is lost", "all are equal once faults stop", "status of the signer is true"]
    }
  }

  /// After a step of the checkout's applier; `true`: it is done.
  func strike(_ checkout: Checkout, in world: World) throws -> Bool {
    guard let head = checkout.head, !checkout.isAway, !checkout.own.contains(head),
      let files = world.source.files[head]
    else { return false }
    switch self {
    case .unsigned:
      try checkout.git.run("commit", "-q", "--allow-empty", "-m", "of nobody")
      return true
    case .goingBack:
      guard let reached = checkout.reached, checkout.edits.isEmpty,
        let older = checkout.visited.first(where: {
          world.source.rank(of: $0, on: checkout.branch).map { $0 < reached } ?? false
        })
      else { return false }
      return try checkout.git.attempt(["reset", "-q", "--hard", older.hex]).status == 0
    case .edit:
      guard checkout.settings.onLocalChanges == .refuse,
        let path = checkout.edits.keys.sorted().first(where: {
          files[$0] != nil && checkout.edits[$0] != .some(files[$0])
        })
      else { return false }
      try checkout.git.run("checkout", "-q", "-f", "--", path)
      return true
    case .torn:
      guard let path = files.keys.sorted().first(where: { checkout.edits[$0] == nil }) else {
        return false
      }
      return unlink(checkout.path + "/" + path) == 0
    case .receipts, .messages: return true
    }
  }
}
