import Foundation

/// Speed as ratios: each row sets two figures of one run against each other, on this machine, with real programs.
///
/// Without arguments all rows in full size; letters choose rows, `--short` makes everything smaller.
@main
enum Bench {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("distro-bench: error: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    let scale = Scale(isShort: arguments.contains("--short"))
    let chosen = arguments.filter { $0 != "--short" }
    let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var rows: [Measurement] = []
    func addAll(_ letter: String, _ measure: (Workspace) throws -> [Measurement]) throws {
      guard chosen.isEmpty || chosen.contains(letter) else { return }
      FileHandle.standardError.write(Data("measuring (\(letter)) ...\n".utf8))
      rows += try measure(try Workspace(in: parent))
    }
    func add(_ letter: String, _ measure: (Workspace) throws -> Measurement) throws {
      try addAll(letter) { [try measure($0)] }
    }
    try add("a") { try PushRows(workspace: $0, scale: scale).againstGit() }
    try add("b") { try PushRows(workspace: $0, scale: scale).againstSmall() }
    try add("c") { try CatchUpRow(workspace: $0, scale: scale).measure() }
    try add("d") { try SnapshotRow(workspace: $0, scale: scale).measure() }
    try add("e") { _ in try SealingRow(scale: scale).measure() }
    try add("f") { try RelayRows(workspace: $0, scale: scale).smallMessages() }
    try addAll("g") { try RelayRows(workspace: $0, scale: scale).largeMessage() }
    try add("h") { try FanOutRow(workspace: $0, scale: scale).measure() }
    try add("i") { try IdleRow(workspace: $0, scale: scale).measure() }
    try add("j") { try StartRow(workspace: $0, scale: scale).measure() }
    Table.print(rows)
    print("medians of \(scale.runCount); every figure and its counterpart from the same run")
  }
}
