import Foundation

/// Speed as ratios: each row sets two figures of one run against each other, on this machine, with real programs.
///
/// Without arguments all rows in full size; letters choose rows, `--short` makes everything smaller, `--hooks=100000` is how
/// many webhooks row (w) sends.
@main
enum Bench {
  static func main() {
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      switch arguments.first {
      case IdleClients.mode: try IdleClients(Array(arguments.dropFirst())).run()
      case BareRouter.mode: try BareRouter(Array(arguments.dropFirst())).run()
      default: try run(arguments)
      }
    } catch {
      say("distro-bench: error: \(error)")
      exit(1)
    }
  }

  /// Unlike `print` at once, also into a file.
  static func tell(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  private static func run(_ arguments: [String]) throws {
    let hooks = arguments.last { $0.hasPrefix("--hooks=") }.flatMap { Int($0.dropFirst(8)) }
    let scale = Scale(isShort: arguments.contains("--short"), hooks: hooks)
    let chosen = arguments.filter { !$0.hasPrefix("--") }
    let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var rows: [Measurement] = []
    func addAll(_ letter: String, _ measure: (Workspace) throws -> [Measurement]) throws {
      guard chosen.isEmpty || chosen.contains(letter) else { return }
      say("measuring (\(letter)) ...")
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
    try addAll("i") { try IdleRow(workspace: $0, scale: scale).measure() }
    try add("j") { try StartRow(workspace: $0, scale: scale).measure() }
    try add("k") { try RelayedPushRow(workspace: $0, scale: scale).measure() }
    try addAll("l") { try StreamsRow(workspace: $0, scale: scale).measure() }
    try addAll("m") { try RecipientsRow(workspace: $0, scale: scale).measure() }
    try addAll("n") { try WaitingRow(workspace: $0, scale: scale).measure() }
    try addAll("r") { try LayoutRow(workspace: $0, scale: scale).measure() }
    try addAll("y") { try ScaleRow(workspace: $0, scale: scale).measure() }
    try addAll("z") { try BrokerFleetRow(workspace: $0, scale: scale).measure() }
    try addAll("o") { try BrokerRows(workspace: $0, scale: scale).measure() }
    try addAll("p") { try BrokerPushRow(workspace: $0, scale: scale).measure() }
    try addAll("q") { try DirectoryRow(workspace: $0, scale: scale).measure() }
    try addAll("w") { try HookRow(workspace: $0, scale: scale).measure() }
    try add("x") { try HookedPushRow(workspace: $0, scale: scale).measure() }
    Table.print(rows)
    print("medians of \(scale.runCount); every figure and its counterpart from the same run")
  }
}
