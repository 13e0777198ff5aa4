import GitModel

/// Two histories painted at once, the newest commits first, until nothing is left that only one has.
///
/// Dates say what is looked at first, never what is true: a commit that is only in the first history and
/// not looked at yet keeps the walk going. Source: git's commit-reach.c (`paint_down_to_common`).
struct CommitWalk {
  private struct Colours: OptionSet {
    let rawValue: UInt8
    static let first = Colours(rawValue: 1)
    static let second = Colours(rawValue: 2)
  }

  let objects: ObjectDatabase
  /// git's shallow boundary: nothing lies behind these.
  let boundary: Set<ObjectID>
  private var colours: [ObjectID: Colours] = [:]
  private var queue = DatedQueue()
  /// Of the queue, those that only the first history has yet.
  private var open: Set<ObjectID> = []
  private var known: [ObjectID: (parents: [ObjectID], date: UInt64)] = [:]
  private var firstCount = 0
  private var oldestFirst = UInt64.max

  init(_ objects: ObjectDatabase, boundary: Set<ObjectID>) {
    self.objects = objects
    self.boundary = boundary
  }

  /// Whether `descendant` is `ancestor`, or comes from it.
  mutating func isAncestor(
    _ ancestor: ObjectID, of descendant: ObjectID
  ) throws(GitError) -> Bool {
    if ancestor == descendant { return true }
    try paint(ancestor, .second)
    try paint(descendant, .first)
    while !open.isEmpty, try step() {
      if colours[ancestor]?.contains(.first) == true { return true }
    }
    return false
  }

  /// The commits that `to` has and `from` has not, parents first. Where clocks were wrong, some that
  /// `from` has as well.
  mutating func commits(
    from: ObjectID?, to: ObjectID, countMax: Int
  ) throws(GitError) -> [ObjectID] {
    if let from { try paint(from, .second) }
    try paint(to, .first)
    while !open.isEmpty || (queue.newest ?? 0) >= oldestFirst {
      guard try step() else { break }
      guard firstCount <= countMax else { throw .tooManyCommits(countMax: countMax) }
    }
    return inOrder(from: to)
  }

  private mutating func step() throws(GitError) -> Bool {
    guard let id = queue.pop() else { return false }
    open.remove(id)
    let colour = colours[id, default: []]
    for parent in try read(id).parents { try paint(parent, colour) }
    return true
  }

  private mutating func paint(_ id: ObjectID, _ colour: Colours) throws(GitError) {
    let before = colours[id, default: []]
    let after = before.union(colour)
    guard after != before else { return }
    // What only the second history has need not be there.
    guard after.contains(.first) || objects.contains(id) else { return }
    colours[id] = after
    let date = try read(id).date
    if after == .first {
      open.insert(id)
      firstCount += 1
      oldestFirst = min(oldestFirst, date)
    } else {
      open.remove(id)
      if before == .first { firstCount -= 1 }
    }
    queue.push(id, date)
  }

  private mutating func read(
    _ id: ObjectID
  ) throws(GitError) -> (parents: [ObjectID], date: UInt64) {
    if let known = known[id] { return known }
    let commit = try objects.commit(id)
    let entry = (boundary.contains(id) ? [] : commit.parents, commit.committedAt)
    known[id] = entry
    return entry
  }

  private func inOrder(from tip: ObjectID) -> [ObjectID] {
    var result: [ObjectID] = []
    var seen: Set<ObjectID> = []
    var pending: [(id: ObjectID, isExpanded: Bool)] = [(tip, false)]
    while let (id, isExpanded) = pending.popLast() {
      if isExpanded {
        result.append(id)
        continue
      }
      guard colours[id] == .first, seen.insert(id).inserted else { continue }
      pending.append((id, true))
      pending += (known[id]?.parents ?? []).reversed().map { ($0, false) }
    }
    return result
  }
}
