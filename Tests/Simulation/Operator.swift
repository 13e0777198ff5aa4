import GitModel
import MessageFormat
import Signer

/// Who pushes to the public repository, and runs the program there by hand.
struct Operator {
  private static let paths = ["a", "b", "c", "d/e", "d/f", "g/h/i", "j"]
  private static let zero = ObjectID(hex: String(repeating: "0", count: 40))

  let world: World

  init(_ world: World) { self.world = world }

  func act() throws {
    let branch = world.chance(75) ? world.main : world.next
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<45: try push(branch)
    case 45..<55: try world.allowsOverlap ? pushSlowly(branch) : push(branch)
    case 55..<62: try pushForced(branch)
    case 62..<69: try pushReverted(branch)
    case 69..<74: try pushEmpty(branch)
    case 74..<80: try pushBack(branch)
    case 80..<86:
      for branch in [world.main, world.next] { try push(branch) }
    case 86..<91: try commitWithoutHook(branch)
    case 91..<96: try send(branch, world.chance(50) ? .nothing : .whereRecipientsAre, to: nil)
    default: try sendOlder(branch)
    }
  }

  // MARK: - Pushes

  func push(_ branch: BranchName) throws { try hook(branch, try commit(branch), "push") }

  /// Another push, with a hook of its own, while this one is being sealed.
  private func pushSlowly(_ branch: BranchName) throws {
    var isNested = false
    world.signer.onSealing = {
      guard !isNested else { return }
      isNested = true
      do { try push(branch) } catch { world.note("a hook within another: \(error)") }
    }
    defer { world.signer.onSealing = {} }
    try push(branch)
  }

  private func pushForced(_ branch: BranchName) throws {
    guard let tip = try world.source.tip(of: branch) else { return }
    let ancestors = try world.source.ancestors(of: tip, countMax: 3)
    let base = ancestors.randomElement(using: &world.random)
    let files = edited(base.flatMap { world.source.files[$0] } ?? [:])
    try hook(branch, try world.source.commit(files, on: base.map { [$0] } ?? []), "forced push")
  }

  private func pushReverted(_ branch: BranchName) throws {
    guard let tip = try world.source.tip(of: branch),
      let old = try world.source.ancestors(of: tip, countMax: 1).first,
      let files = world.source.files[old]
    else { return }
    try hook(branch, try world.source.commit(files, on: [tip]), "revert")
  }

  private func pushEmpty(_ branch: BranchName) throws {
    guard let tip = try world.source.tip(of: branch), let files = world.source.files[tip] else {
      return
    }
    try hook(branch, try world.source.commit(files, on: [tip]), "empty commit")
  }

  /// The branch is taken back to what it was.
  private func pushBack(_ branch: BranchName) throws {
    guard let tip = try world.source.tip(of: branch),
      let old = try world.source.ancestors(of: tip, countMax: 3).randomElement(
        using: &world.random)
    else { return }
    try hook(branch, old, "branch taken back")
  }

  func commitWithoutHook(_ branch: BranchName) throws {
    let revision = try commit(branch)
    try world.source.move(branch, to: revision)
    world.note("commit \(revision.abbreviated) on \(branch), no hook runs")
  }

  private func commit(_ branch: BranchName) throws -> ObjectID {
    let tip = try world.source.tip(of: branch)
    let files = edited(tip.flatMap { world.source.files[$0] } ?? [:])
    return try world.source.commit(files, on: tip.map { [$0] } ?? [])
  }

  private func edited(_ files: Files) -> Files {
    var files = files
    for _ in 0..<Int.random(in: 1...3, using: &world.random) {
      let path = world.pick(Self.paths)
      let number = UInt16.random(in: 0...UInt16.max, using: &world.random)
      switch Int.random(in: 0..<20, using: &world.random) {
      case 0..<13: files[path] = Entry("\(number)\n\(path)\n")
      case 13..<16: files[path] = nil
      case 16: makeExecutable(path, in: &files, orElse: "\(number)\n")
      case 17: files[world.chance(50) ? "link" : path] = Entry("b", mode: .link)
      case 18: world.chance(50) ? replace(in: &files) : rename(in: &files)
      default:
        let count = world.chance(10) ? 700_000 : 3_000
        files["binary"] = Entry(world.random.bytes(count), mode: .file)
      }
    }
    if files.isEmpty { files["a"] = Entry("1\n") }
    return files
  }

  private func rename(in files: inout Files) {
    guard let from = files.keys.sorted().randomElement(using: &world.random) else { return }
    let entry = files.removeValue(forKey: from)
    files["moved/\(from)"] = entry
  }

  /// The same content where there is some.
  private func makeExecutable(_ path: String, in files: inout Files, orElse text: String) {
    let content = files[path].flatMap { $0.mode == .file ? $0.content : nil } ?? Array(text.utf8)
    files[path] = Entry(content, mode: .executable)
  }

  /// A file becomes a directory, or the other way round.
  private func replace(in files: inout Files) {
    if files["x"] == nil {
      files["x/y"] = nil
      files["x"] = Entry("a file\n")
    } else {
      files["x"] = nil
      files["x/y"] = Entry("below\n")
    }
  }

  // MARK: - The program

  private func hook(_ branch: BranchName, _ revision: ObjectID, _ what: String) throws {
    let before = try world.source.tip(of: branch)
    guard before != revision, let zero = Self.zero else { return }
    try world.source.move(branch, to: revision)
    world.note("\(what) of \(revision.abbreviated) to \(branch)")
    var lines = PushLines()
    lines.add("\((before ?? zero).hex) \(revision.hex) \(branch.fullName)")
    try run(.pushes(lines))
  }

  /// As after the loss of a state.
  func sendAnew(_ branch: BranchName) throws {
    guard try world.source.tip(of: branch) != nil else { return }
    try send(branch, .whereRecipientsAre, to: nil)
  }

  /// Whether it was not refused.
  @discardableResult
  private func send(
    _ branch: BranchName, _ start: Sending.Start, to revision: ObjectID?
  ) throws -> Bool {
    if revision == nil, let tip = try world.source.tip(of: branch) {
      world.source.lead(branch, to: tip)
    }
    world.note(
      "sign-and-send of \(branch) from \(start == .nothing ? "nothing" : "where they are") to \(revision?.abbreviated ?? "its tip")"
    )
    return try run(.branch(ref: branch.shortName, from: start, to: revision?.hex))
  }

  /// Somebody wants an older revision on all machines, and says so.
  private func sendOlder(_ branch: BranchName) throws {
    guard let tip = try world.source.tip(of: branch),
      let old = try world.source.ancestors(of: tip, countMax: 3).randomElement(
        using: &world.random)
    else { return }
    if try send(branch, .whereRecipientsAre, to: old) { world.source.lead(branch, to: old) }
  }

  /// What is no finding: nothing to send, and a newer push that was faster.
  @discardableResult
  private func run(_ subject: PushRequest.Subject) throws -> Bool {
    defer { world.signer.line.outgoingChanged() }
    let words = Words(world)
    let isDone = try world.attempt("sign-and-send", world.signer.writeLimit) {
      do {
        let result = try world.signer.handle(subject, at: world.source.path) { words.add($0) }
        if let failure = words.failure {
          guard world.signer.writeLimit == nil else { return false }
          throw Violation("a role failed by itself", "sign-and-send: \(failure)")
        }
        try words.judge(result)
        return true
      } catch let error as SignerError where error.isNothingToSend {
        world.note("nothing is sent: \(error)")
        return false
      }
    }
    try world.noteHeads()
    return isDone ?? false
  }

  /// A push that is for every checkout: it changes a file for certain.
  func settle(_ branch: BranchName) throws {
    let tip = try world.source.tip(of: branch)
    var files = tip.flatMap { world.source.files[$0] } ?? [:]
    files["settled"] = Entry("\(UInt64.random(in: 0...UInt64.max, using: &world.random))\n")
    try hook(branch, try world.source.commit(files, on: tip.map { [$0] } ?? []), "last push")
  }
}

extension SignerError {
  fileprivate var isNothingToSend: Bool {
    switch self {
    case .overtaken, .emptyPatch, .goingBack: true
    default: false
    }
  }
}
