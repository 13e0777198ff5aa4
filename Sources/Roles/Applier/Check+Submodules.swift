import Git
import GitModel
import MessageFormat
import Patching
import WorkingTree

// The last part of a payload: a pack of submodules' commits.
extension Check {
  func submoduleReceiver(of description: PayloadDescription) throws -> PackReceiver? {
    guard let submodules = description.submodules, submodules.size > 0 else { return nil }
    // In quarantine, and then once more in the submodules' own directories.
    try requireRoom(for: submodules.size, of: "submodules", copyCount: 2)
    return try PackReceiver(for: batch.checkout.repository, limits: PackLimits())
  }

  /// What becomes of submodules; `nil`: the message has nothing to say of them.
  ///
  /// What came is what the new trees name, and no more.
  func submodules(
    of message: Message, at changes: [TreeChange], _ incoming: QuarantinedPack?,
    in objects: ObjectOverlay
  ) throws -> SubmoduleChanges? {
    guard let description = message.payload?.submodules else { return nil }
    let isWhole = message.payload?.kind == .replacement
    let result = try batch.checkout.submoduleChanges(
      at: changes, to: message.after.tree, in: objects, isWhole: isWhole, incoming: incoming)
    try requireNothingElse(description, result)
    try requirePaths(result.files) { id throws(GitError) in
      try result.objects.read(id, .blob, byteCountMax: TreePath.byteCountMax)
    }
    return result
  }

  private func requireNothingElse(
    _ description: SubmodulesDescription, _ changes: SubmoduleChanges
  ) throws {
    guard let pack = changes.incoming else { return }
    let commits = changes.named.filter { pack.index.contains($0) }
    var completeness = TreeCompleteness(in: changes.objects)
    for id in commits {
      let tree = try changes.objects.commit(id).tree
      if let missing = try completeness.missingObjects(ofTree: tree, known: nil).first {
        throw Refused(.invalidSubmodule, "\(missing.abbreviated) was not shipped")
      }
    }
    let namedCount = commits.count + completeness.visitedCount(in: pack.index)
    guard commits.count == description.count, namedCount == pack.index.count else {
      throw Refused(.invalidSubmodule, "objects came that no submodule of the tree names")
    }
  }
}

extension Checkout {
  var submodulePlaces: SubmodulePlaces {
    SubmodulePlaces(checkout: path, gitDirectory: repository.commonDirectory)
  }

  /// `isWhole`: all submodules of the tree are meant, not only those that change.
  func submoduleChanges(
    at changes: [TreeChange], to tree: ObjectID, in objects: ObjectOverlay, isWhole: Bool,
    incoming: QuarantinedPack?
  ) throws -> SubmoduleChanges {
    var links: [TreePath: SubmoduleExpansion.Link] = [:]
    if isWhole {
      for change in try objects.base.submoduleChanges(from: nil, to: tree) {
        links[change.path] = .init(path: change.path, old: change.new, new: change.new)
      }
    }
    for change in changes
    where change.old?.mode == .submodule || change.new?.mode == .submodule {
      links[change.path] = .init(path: change.path, old: change.old, new: change.new)
    }
    return try SubmoduleExpansion.expand(
      links.values.sorted { $0.path < $1.path }, from: head?.tree, to: tree, in: objects,
      of: repository,
      at: submodulePlaces, incoming: incoming, limits: settings.limits, for: .check
    ) { [self] path in try files.gitLink(in: path) }
  }
}
