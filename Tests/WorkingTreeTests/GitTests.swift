import GitModel
import Testing
import WorkingTree

/// The same states, once checked out by git and once written by us, must be the same to the last
/// directory.
@Suite struct GitTests {
  /// What a tree holds: files and links by path.
  typealias State = [Bytes: (mode: FileMode, content: Bytes)]

  @Test(arguments: [1, 2, 3] as [UInt64]) func `leaves what git's checkout leaves`(seed: UInt64)
    throws
  {
    var generator = Xorshift(state: seed &* 0x9e37_79b9_7f4a_7c15)
    let (gits, ours) = (try Sandbox(), try Sandbox())
    let git = ["git", "-C", gits.tree.description]
    try Program.run(git + ["init", "-q"])
    try Program.run(["git", "-C", ours.tree.description, "init", "-q"])
    var states: [State] = []
    for number in 0..<12 {
      let state = Self.randomState(&generator, depth: 0, prefix: "")
      try Self.record(state, number, in: gits, git)
      states.append(state)
    }
    try Program.run(git + ["checkout", "-q", "-f", "state0"])
    var previous: State = [:]
    for (number, state) in states.enumerated() {
      try Program.run(git + ["checkout", "-q", "state\(number)"])
      try ours.commit(Self.change(from: previous, to: state))
      #expect(try Self.snapshot(ours) == Self.snapshot(gits))
      previous = state
    }
  }

  @Test func `gives git an index entry that it finds clean`() throws {
    let sandbox = try Sandbox()
    let git = ["git", "-C", sandbox.tree.description]
    try Program.run(git + ["init", "-q"])
    try sandbox.commit(Change(writes: ["a/file": (.executable, "content")]))
    try Program.run(git + ["add", "-A"])
    let lines = try Program.run(git + ["ls-files", "--debug"]).split(separator: "\n").map {
      $0.trimmingPrefix(while: \.isWhitespace)
    }
    let status = try #require(try sandbox.open().status(of: TreePath("a/file")))
    #expect(
      lines.prefix(6) == [
        "a/file", "ctime: \(status.changed.seconds):\(status.changed.nanoseconds)",
        "mtime: \(status.modified.seconds):\(status.modified.nanoseconds)",
        "dev: \(status.device)\tino: \(status.inode)", "uid: \(status.user)\tgid: \(status.group)",
        "size: \(status.size)\tflags: 0",
      ])
  }

  private static func snapshot(_ sandbox: Sandbox) throws -> [Bytes: String] {
    try sandbox.snapshot().filter { $0.key != ".git" && !$0.key.description.hasPrefix(".git/") }
  }

  private static func change(from old: State, to new: State) -> Change {
    var change = Change(removals: old.keys.filter { new[$0] == nil })
    for (path, entry) in new {
      if let before = old[path], before == entry { continue }
      change.writes[path] = entry
    }
    return change
  }

  private static func record(
    _ state: State, _ number: Int, in sandbox: Sandbox, _ git: [String]
  ) throws {
    for name in try Disk.names(in: sandbox.tree) where name != Array(".git".utf8) {
      try Disk.remove(sandbox.at(Bytes(name)))
    }
    for (path, (mode, content)) in state {
      try sandbox.write(path, content, permissions: mode == .executable ? 0o777 : 0o666)
      guard mode == .symbolicLink else { continue }
      try Disk.remove(sandbox.at(path))
      try Disk.makeLink(sandbox.at(path), to: content)
    }
    let author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    try Program.run(git + ["add", "-A"])
    try Program.run(
      git + author + ["commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "\(number)"])
    try Program.run(git + ["tag", "state\(number)"])
  }

  /// Few names and all types, so that two states disagree about most paths.
  private static func randomState(
    _ generator: inout Xorshift, depth: Int, prefix: Bytes
  ) -> State {
    var state: State = [:]
    for name in ["a", "b", "c d", "\u{e9}\n"] as [Bytes] {
      let content: Bytes = "\(generator.next() % 3)"
      switch generator.next() % 8 {
      case 0, 1: break
      case 2: state[prefix + name] = (.regular, content)
      case 3: state[prefix + name] = (.executable, content)
      case 4: state[prefix + name] = (.symbolicLink, content)
      default:
        if depth == 3 { break }
        let below = randomState(&generator, depth: depth + 1, prefix: prefix + name + "/")
        state.merge(below) { old, _ in old }
      }
    }
    return state
  }
}

/// Random enough, and the same in every run.
struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
