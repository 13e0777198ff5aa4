import GitModel
import PatchText

/// All cases as pairs of commits in one repository, and the sections that git's own diff of a pair
/// makes.
final class CaseRepository {
  let repository: TemporaryRepository
  let cases: [PatchCase]

  init(_ cases: [PatchCase]) throws {
    self.cases = cases
    repository = try TemporaryRepository()
    var stream: [UInt8] = []
    for (number, pair) in cases.enumerated() {
      Self.commit(pair.old, to: "old-\(number)", in: &stream)
      Self.commit(pair.new, to: "new-\(number)", in: &stream)
    }
    try repository.git("fast-import", "--quiet", input: stream)
  }

  private static func commit(
    _ files: [TreePath: CaseFile], to branch: String, in stream: inout [UInt8]
  ) {
    stream += "commit refs/heads/\(branch)\ncommitter T <t@t> 1700000000 +0000\n".utf8
    stream += "data 1\nx\ndeleteall\n".utf8
    for (path, file) in files {
      if file.mode == .submodule {
        let id = String(decoding: file.content, as: UTF8.self)
        stream += "M 160000 \(id) \(path.description)\n".utf8
      } else {
        stream += "M \(file.mode.octal) inline \(path.description)\n".utf8
        stream += "data \(file.content.count)\n".utf8 + file.content + "\n".utf8
      }
    }
  }

  /// The patch of a case, its hunks taken from git's diff.
  func patch(_ number: Int) throws -> TextPatch {
    let pair = cases[number]
    var sections: [FileSection] = []
    let bodies = try bodies(number)
    for (change, body) in zip(try changes(number), bodies) {
      let old = change.old == nil ? nil : pair.old[change.path]
      let new = change.new == nil ? nil : pair.new[change.path]
      sections.append(
        try FileSection(
          path: change.path, old: change.old, new: change.new,
          content: try content(change, old: old, new: new, body: body)))
    }
    return try TextPatch(sections)
  }

  private func content(
    _ change: TreeChange, old: CaseFile?, new: CaseFile?, body: [UInt8]
  ) throws -> FileSection.Content {
    if (old ?? new)?.mode == .submodule { return .submodule }
    let contents = (old: old?.content ?? [], new: new?.content ?? [])
    if contents.old == contents.new { return .unchanged }
    if contents.old.contains(0) || contents.new.contains(0) {
      return .binary(
        forward: .literal(of: contents.new), reverse: .literal(of: contents.old))
    }
    return .text(try Hunk.hunks(fromBody: body))
  }

  /// The changed entries in git's order, type changes in two.
  func changes(_ number: Int) throws -> [TreeChange] {
    let raw = try repository.git(
      "diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "old-\(number)",
      "new-\(number)")
    let fields = raw.split(separator: 0)
    return try stride(from: 0, to: fields.count - 1, by: 2).flatMap { index in
      let words = fields[index].dropFirst().split(separator: UInt8(ascii: " "))
      let change = TreeChange(
        path: try TreePath(Array(fields[index + 1])), old: Self.entry(words[0], words[2]),
        new: Self.entry(words[1], words[3]))
      return change.sections
    }
  }

  private static func entry(_ mode: ArraySlice<UInt8>, _ id: ArraySlice<UInt8>) -> TreeEntry? {
    guard let mode = FileMode(octal: mode), let id = ObjectID(hexBytes: id) else { return nil }
    return TreeEntry(mode: mode, id: id)
  }

  /// The hunks of every section of git's diff, in its order; function names stay in.
  private func bodies(_ number: Int) throws -> [[UInt8]] {
    let text = try repository.git(
      "diff-tree", "-r", "-p", "--text", "--full-index", "--no-renames", "old-\(number)",
      "new-\(number)")
    var bodies: [[UInt8]] = []
    var isInHunk = false
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if line.starts(with: "diff --git ".utf8) {
        bodies.append([])
        isInHunk = false
      }
      isInHunk = isInHunk || line.starts(with: "@@ ".utf8)
      if isInHunk && !line.isEmpty {
        bodies[bodies.count - 1] += line + [UInt8(ascii: "\n")]
      }
    }
    return bodies
  }
}
