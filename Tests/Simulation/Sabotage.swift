import CarrierProtocol
import GRDB
import GitModel
import Glibc

/// A fault that a program would have, made by hand: each invariant must notice the one that is its own, or it says nothing
/// about the program either.
enum Sabotage: String, CaseIterable {
  /// A commit of nobody's is put on the branch.
  case unsigned
  /// A checkout goes back to an older revision of its signer's.
  case goingBack
  /// The same, where that is refused.
  case refusedBack
  /// A commit that was made on the machine is replaced.
  case ownCommit
  /// The branch is removed.
  case branch
  /// A checkout that is on another branch is worked on.
  case away
  /// What somebody has edited is replaced.
  case edit
  /// A file is neither the revision's nor anybody's.
  case torn
  /// Receipts of one machine are taken, and forgotten.
  case receipts
  /// What is for one machine is taken for stored, and is gone.
  case messages
  /// A machine counts as behind what its stream never led to.
  case stale
  /// A branch that was not sent is not said to be.
  case unsent
  /// A recipient to which a message is on its way is said to have it.
  case word
  /// A message of the end has no answer.
  case answer
  /// The index is not the revision's.
  case index
  /// Objects are missing at the end.
  case objects
  /// A step throws, though no disk is full.
  case thrown
  /// A step has always something more to do.
  case restless

  /// What must be said of it.
  var invariants: Set<String> {
    switch self {
    case .unsigned: ["never an unsigned revision in a checkout"]
    case .goingBack: ["never back behind what was reached"]
    case .refusedBack: ["never back where that is refused"]
    case .ownCommit: ["nobody's commit is taken away"]
    case .branch: ["a branch is never removed"]
    case .away: ["a checkout on another branch is left alone"]
    case .edit: ["nobody's edit is lost"]
    case .torn: ["files are those of the revision"]
    case .receipts: ["status of the signer is true", "no message is lost"]
    case .messages:
      ["no message is lost", "all are equal once faults stop", "status of the signer is true"]
    case .stale: ["status of the applier is true"]
    case .unsent: ["status of the signer is true"]
    case .word: ["the last word is true"]
    case .answer: ["nothing is left over"]
    case .index: ["git status is clean"]
    case .objects: ["git fsck is clean"]
    case .thrown: ["a role failed by itself"]
    case .restless: ["it never comes to rest"]
    }
  }

  /// After a step of the checkout's applier; `true`: it is done, and once is enough.
  func strike(_ checkout: Checkout, of applier: ApplierHost, in world: World) throws -> Bool {
    switch self {
    case .away: return try checkout.isAway && strikeFile(of: checkout)
    case .ownCommit: return try strikeCommit(of: checkout, in: world)
    case .stale:
      try applier.store.state.queue.write { database in
        try database.execute(
          sql: "UPDATE heartbeat SET revision = ?", arguments: [ObjectID.zero])
      }
      return false
    case .thrown:
      let nothing: Void? = try world.attempt(applier.name, nil) { throw Failure() }
      return nothing != nil
    default: break
    }
    guard let head = checkout.head, !checkout.isAway, !checkout.isDamaged,
      !checkout.own.contains(head), let files = world.source.files[head]
    else { return false }
    switch self {
    case .unsigned:
      try checkout.git.run("commit", "-q", "--allow-empty", "-m", "of nobody")
      return true
    case .goingBack:
      return try checkout.settings.onGoingBack == .apply && strikeBack(checkout, in: world)
    case .refusedBack:
      return try checkout.settings.onGoingBack == .refuse && strikeBack(checkout, in: world)
    case .branch: return unlink("\(checkout.path)/.git/\(checkout.branch.fullName)") == 0
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
    default: return true
    }
  }

  private struct Failure: Error {}

  private func strikeFile(of checkout: Checkout) throws -> Bool {
    let file = open(checkout.path + "/of-nobody", O_WRONLY | O_CREAT, 0o644)
    return file >= 0 && close(file) == 0
  }

  private func strikeCommit(of checkout: Checkout, in world: World) throws -> Bool {
    guard let head = checkout.head, checkout.own.contains(head), !checkout.isAway,
      checkout.settings.onLocalChanges == .refuse,
      let signed = checkout.visited.sorted().first(where: {
        world.source.rank(of: $0, on: checkout.branch) != nil
      })
    else { return false }
    return try checkout.git.attempt(["reset", "-q", "--hard", signed.hex]).status == 0
  }

  private func strikeBack(_ checkout: Checkout, in world: World) throws -> Bool {
    guard let reached = checkout.reached, checkout.edits.isEmpty,
      let older = checkout.visited.sorted().first(where: {
        world.source.rank(of: $0, on: checkout.branch).map { $0 < reached } ?? false
      })
    else { return false }
    return try checkout.git.attempt(["reset", "-q", "--hard", older.hex]).status == 0
  }

  /// When everything is as it is to be.
  func strikeAtEnd(in world: World) throws {
    guard let checkout = world.checkouts.first(where: { !$0.hasLostObjects }) else { return }
    switch self {
    case .answer:
      try world.signer.outbox.store.state.queue.write { database in
        try database.execute(
          sql:
            "UPDATE answer SET state = 'stored' WHERE sequence = (SELECT MAX(sequence) FROM answer)"
        )
      }
    case .index:
      let path = try checkout.look().files?.keys.sorted().first
      try checkout.git.run("update-index", "--force-remove", path ?? "a")
    case .objects:
      for name in try checkout.objectFiles() { unlink("\(checkout.path)/.git/objects/\(name)") }
    default: break
    }
  }
}
