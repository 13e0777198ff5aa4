import Foundation

/// Histories of a wanted size, written by `git fast-import`.
struct History {
  static let filesPerDirectory = 100

  let fileCount: Int
  /// Each changes a line of one file.
  let commitCount: Int

  static func path(_ file: Int) -> String {
    "d\(file / filesPerDirectory)/f\(file % filesPerDirectory).txt"
  }

  /// About 1 KiB of lines; `change` goes into one of them.
  private static func content(_ file: Int, change: Int) -> String {
    var text = ""
    for line in 0..<24 {
      let number = file &* 2_654_435_761 &+ line &* 40_503
      text +=
        "line \(line) of file \(file): \(String(UInt64(bitPattern: Int64(number)), radix: 36))"
      text += line == change % 24 ? " changed \(change)\n" : "\n"
    }
    return text
  }

  /// Makes the bare repository: `base` is the first commit, `main` the last one.
  func make(_ name: String, in workspace: Workspace) throws {
    try workspace.git("init", "--quiet", "--bare", name, in: "")
    let stream = workspace.path("fast-import")
    guard FileManager.default.createFile(atPath: stream, contents: nil),
      let file = FileHandle(forWritingAtPath: stream)
    else {
      throw ProgramFailure(description: "\(stream): cannot be written")
    }
    file.write(Data(commit(0, of: (0..<fileCount).map { ($0, 0) }).utf8))
    file.write(Data("reset refs/heads/base\nfrom :1\n\n".utf8))
    for number in 0..<commitCount {
      let changed = number &* 7_919 % fileCount
      file.write(Data(commit(number + 1, of: [(changed, number + 1)]).utf8))
    }
    try file.close()
    try workspace.git("fast-import", "--quiet", in: name, input: "fast-import")
    try workspace.remove("fast-import")
  }

  private func commit(_ number: Int, of files: [(file: Int, change: Int)]) -> String {
    let message = "Change \(number)\n"
    var text = "commit refs/heads/main\nmark :\(number + 1)\n"
    text += "committer Bench <bench@example.org> \(1_700_000_000 + number) +0000\n"
    text += "data \(message.utf8.count)\n\(message)"
    for (file, change) in files {
      let content = Self.content(file, change: change)
      text += "M 100644 inline \(Self.path(file))\ndata \(content.utf8.count)\n\(content)\n"
    }
    return text + "\n"
  }

  /// The commits behind `base`, oldest first.
  static func commits(of repository: String, in workspace: Workspace) throws -> [String] {
    try workspace.git("rev-list", "--reverse", "base..main", in: repository)
    return try workspace.output.split(separator: "\n").map { String($0) }
  }

  /// A clone at `base`, whose origin is what the applier's checkout must have.
  static func checkOut(
    _ repository: String, to name: String, origin: String?, in workspace: Workspace
  ) throws {
    let source = workspace.path(repository)
    try workspace.git("clone", "--quiet", "--branch", "base", source, name, in: "")
    try workspace.git("checkout", "--quiet", "-B", "main", in: name)
    try workspace.git("branch", "--quiet", "--set-upstream-to=origin/main", in: name)
    if let origin { try workspace.git("remote", "set-url", "origin", origin, in: name) }
  }
}
