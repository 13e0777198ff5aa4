import Foundation
package import GitModel

/// A history as people make one, the same in every run: text edits, new and removed files, renames, mode changes,
/// binaries, links, merges; written by `git fast-import`.
package struct PipelineHistory {
  private var random: SplitMix
  private var stream: [UInt8] = []
  /// Of each commit so far: what its tree holds.
  private var trees: [[String: File]] = []

  private struct File: Hashable {
    var mode: String
    var content: [UInt8]
  }

  package struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  private let changeCounts: ClosedRange<Int>
  private let fileCountMax: Int

  private init(seed: UInt64, changeCounts: ClosedRange<Int>, fileCountMax: Int = .max) {
    random = SplitMix(seed: seed)
    self.changeCounts = changeCounts
    self.fileCountMax = fileCountMax
  }

  /// Makes `count` commits on `main` of a repository without one, and checks them out; answers them, oldest first.
  ///
  /// A merge's second parent is an older commit's sibling, so that the first-parent line has `count` commits.
  @discardableResult
  package static func make(
    _ count: Int, in repository: PipelineRepository, seed: UInt64 = 1,
    changeCounts: ClosedRange<Int> = 1...4
  ) throws -> [ObjectID] {
    var history = PipelineHistory(seed: seed, changeCounts: changeCounts)
    for number in 0..<count { history.addCommit(number) }
    let result = try repository.run(
      ["fast-import", "--quiet", "--force"], input: history.stream)
    guard result.status == 0 else {
      throw ProgramFailure(arguments: ["fast-import"], result: result)
    }
    if try repository.git("rev-parse", "--is-bare-repository") == "false" {
      try repository.git("reset", "--hard", "-q", "main")
    }
    let list = try repository.git("rev-list", "--first-parent", "--reverse", "main")
    return list.split(separator: "\n").compactMap { ObjectID(hex: $0) }
  }

  /// A history that grows for as long as it is asked for more, by `nextCommit`.
  package init(seed: UInt64, fileCountMax: Int) {
    self.init(seed: seed, changeCounts: 1...1, fileCountMax: fileCountMax)
  }

  /// What `git fast-import` needs for one more commit on `main`. With `largeByteCount`, a file of so many bytes that no
  /// compressor makes smaller is in it.
  package mutating func nextCommit(
    _ number: Int, changeCount: Int, largeByteCount: Int = 0
  ) -> [UInt8] {
    let old = trees.last ?? [:]
    var files = old
    repeat {
      for _ in 0..<changeCount { change(&files) }
      if largeByteCount > 0 {
        files["large/\(number % 2)"] = File(mode: "100644", content: noise(largeByteCount))
      }
    } while files == old
    stream = []
    begin("refs/heads/main", mark: number + 1, "commit \(number)")
    if number > 0 { append("from refs/heads/main^0\n") }
    write(from: old, to: files)
    trees = [files]
    return stream
  }

  private mutating func addCommit(_ number: Int) {
    let old = trees.last ?? [:]
    var files = old
    let isMerge = number > 20 && number % 25 == 0
    if isMerge { addSide(number, from: trees[number - 5]) }
    let count = number == 0 ? 12 : Int.random(in: changeCounts, using: &random)
    repeat {
      for _ in 0..<count { change(&files) }
    } while files == old
    begin("refs/heads/main", mark: 2 * number + 1, "commit \(number)")
    if number > 0 { append("from :\(2 * number - 1)\n") }
    if isMerge { append("merge :\(2 * number)\n") }
    write(from: old, to: files)
    trees.append(files)
  }

  /// A commit beside the line, to be merged.
  private mutating func addSide(_ number: Int, from base: [String: File]) {
    var files = base
    change(&files)
    begin("refs/heads/side", mark: 2 * number, "side of \(number)")
    append("from :\(2 * (number - 5) + 1)\n")
    append("M 100644 inline side/\(number)\ndata 2\nx\n\n")
    write(from: base, to: files)
  }

  private mutating func begin(_ ref: String, mark: Int, _ message: String) {
    append("commit \(ref)\nmark :\(mark)\n")
    append("committer C <c@example.org> \(1_700_000_000 + 60 * mark) +0100\n")
    append("data \(message.utf8.count)\n\(message)\n")
  }

  private mutating func write(from old: [String: File], to new: [String: File]) {
    for name in old.keys.sorted() where new[name] == nil { append("D \(name)\n") }
    for (name, file) in new.sorted(by: { $0.key < $1.key }) where old[name] != file {
      append("M \(file.mode) inline \(name)\ndata \(file.content.count)\n")
      stream += file.content
      append("\n")
    }
    append("\n")
  }

  private mutating func append(_ text: String) { stream += text.utf8 }

  // MARK: - One change

  private mutating func change(_ files: inout [String: File]) {
    let names = files.keys.sorted()
    guard names.count > 5, let name = names.randomElement(using: &random), var file = files[name]
    else {
      files[newName()] = File(mode: "100644", content: text())
      return
    }
    guard names.count < fileCountMax else {
      files[name] = nil
      return
    }
    switch Int.random(in: 0..<20, using: &random) {
    case 0...9:
      file.content = file.mode == "120000" ? Array(newName().utf8) : edited(file.content)
      files[name] = file
    case 10...12: files[newName()] = File(mode: "100644", content: text())
    case 13:
      files[newName()] = File(
        mode: "100644", content: bytes(Int.random(in: 1...9_000, using: &random)))
    case 14: files[newName()] = File(mode: "120000", content: Array("docs/target".utf8))
    case 15 where file.mode != "120000":
      file.mode = file.mode == "100644" ? "100755" : "100644"
      files[name] = file
    case 16...17:
      files[name] = nil
      files[newName()] = file
    case 18: files[newName()] = File(mode: "100644", content: [])
    default: files[name] = nil
    }
  }

  private mutating func newName() -> String {
    let directories = ["", "src/", "src/deep/er/", "docs/", "assets/img/"]
    let directory = directories.randomElement(using: &random) ?? ""
    return directory + "file-\(Int.random(in: 0..<1_000_000, using: &random))"
  }

  private mutating func text() -> [UInt8] {
    let count = Int.random(in: 0...80, using: &random)
    let lines = (0..<count).map { "line \($0) \(Int.random(in: 0..<50, using: &random))\n" }
    return Array((lines.joined() + (Bool.random(using: &random) ? "no newline" : "")).utf8)
  }

  private mutating func edited(_ content: [UInt8]) -> [UInt8] {
    if content.contains(0) { return content + bytes(40) }
    var lines = content.split(separator: 10, omittingEmptySubsequences: false)
    let place = Int.random(in: 0..<max(1, lines.count), using: &random)
    let new = Array("edited \(Int.random(in: 0..<1_000_000, using: &random))".utf8)[...]
    if Bool.random(using: &random), place < lines.count {
      lines[place] = new
    } else {
      lines.insert(new, at: place)
    }
    return Array(lines.joined(separator: [10]))
  }

  private mutating func noise(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      let word = random.next()
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return bytes
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    [0] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }
}
