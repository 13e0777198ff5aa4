import GitModel

/// What must be true of a checkout after each step of its applier, whatever has happened.
struct Judge {
  func judge(
    _ checkout: Checkout, from before: Checkout.Sight, to now: Checkout.Sight,
    by applier: ApplierHost, in world: World
  ) throws {
    let wasUnderWay = checkout.isUnderWay
    checkout.isUnderWay = try applier.hasJournal(of: checkout)
    // A step that was given up must not leave its half behind.
    if now == before && (!wasUnderWay || checkout.isUnderWay) { return }
    if now == before && checkout.isAway { return }
    if checkout.isAway {
      throw Violation("a checkout on another branch is left alone", checkout.name)
    }
    if now.head != before.head {
      try judgeMove(of: checkout, from: before.head, to: now.head, world)
    }
    try judgeFiles(of: checkout, from: before, to: now, world)
  }

  /// Only to what its signer has led the branch to, only forwards, and never over a commit of people's.
  private func judgeMove(
    of checkout: Checkout, from old: ObjectID?, to new: ObjectID?, _ world: World
  ) throws {
    guard let new else { throw Violation("a branch is never removed", checkout.name) }
    guard let last = world.source.rank(of: new, on: checkout.branch) else {
      throw Violation(
        "never an unsigned revision in a checkout", "\(checkout.name) at \(new.abbreviated)")
    }
    checkout.isDamaged = false
    if let old, checkout.settings.onGoingBack == .refuse,
      try !world.source.isAncestor(old, of: new)
    {
      throw Violation(
        "never back where that is refused",
        "\(checkout.name) from \(old.abbreviated) to \(new.abbreviated)")
    }
    if let old, checkout.own.contains(old), checkout.settings.onLocalChanges == .refuse {
      throw Violation(
        "nobody's commit is taken away",
        "\(checkout.name) from \(old.abbreviated) to \(new.abbreviated)")
    }
    let reached = checkout.reached ?? 0
    guard let rank = world.source.rank(of: new, on: checkout.branch, from: reached) else {
      throw Violation(
        "never back behind what was reached",
        "\(checkout.name) to \(new.abbreviated), number \(last), after number \(reached)")
    }
    checkout.reached = rank
    checkout.visited.insert(new)
  }

  /// Each file is the revision's, or what people have made of it. While a step is not at its end, as after a write that
  /// failed, it may be of either revision.
  private func judgeFiles(
    of checkout: Checkout, from before: Checkout.Sight, to now: Checkout.Sight, _ world: World
  ) throws {
    let files = now.files ?? [:]
    let base = now.head.flatMap { world.source.files[$0] } ?? [:]
    let old = before.head.flatMap { world.source.files[$0] } ?? [:]
    let isUnderWay = checkout.isUnderWay
    let paths = Set(files.keys).union(base.keys).union(checkout.edits.keys).sorted()
    for path in paths {
      if let edit = checkout.edits[path] {
        if files[path] == edit { continue }
        let isReplaced =
          checkout.settings.onLocalChanges == .overwrite
          && (isUnderWay || files[path] == base[path] && base[path] != old[path])
        guard isReplaced else {
          throw Violation(
            "nobody's edit is lost",
            "\(checkout.name): \(path) was \(text(edit)), is "
              + text(files[path]))
        }
        if !isUnderWay { checkout.edits[path] = nil }
      } else if files[path] != base[path] && !isUnderWay {
        throw Violation(
          "files are those of the revision",
          "\(checkout.name): \(path) is \(text(files[path])), not "
            + "\(text(base[path])) as \(now.head?.abbreviated ?? "nothing") has it")
      }
    }
    // An edit that the revision has as well is none any more.
    for (path, edit) in checkout.edits where edit == base[path] && !isUnderWay {
      checkout.edits[path] = nil
    }
  }

  private func text(_ entry: Entry?) -> String { entry?.text ?? "nothing" }
}
