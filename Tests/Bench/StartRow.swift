/// (j): `sign-and-send` with nothing to send, which ends before it opens a repository, and a program that only starts.
struct StartRow {
  let workspace: Workspace
  let scale: Scale

  private static let goalSeconds = 0.05

  func measure() throws -> Measurement {
    let history = History(fileCount: 10, commitCount: 1)
    try history.make("shop.git", in: workspace)
    _ = try Pair(workspace, "pair", repository: "shop.git", checkout: "checkout")
    let command = [workspace.distro, "sign-and-send", "--config", "signer.yaml", "--flush"]
    try workspace.run(command, in: "pair")
    var (ours, empty): ([Double], [Double]) = ([], [])
    for _ in 0..<4 * scale.runCount {
      ours.append(seconds(try workspace.run(command, in: "pair")))
      empty.append(seconds(try workspace.run([workspace.distro, "--version"])))
    }
    return Measurement(
      name: "(j) start of sign-and-send up to the repository, and 50 ms",
      ours: milliseconds(median(ours)), theirs: milliseconds(Self.goalSeconds),
      ratio: median(ours) / Self.goalSeconds, goal: .atMost(1),
      notes: ["distro --version takes \(milliseconds(median(empty)))"])
  }
}
