/// (k): one-file pushes from the hook to applied, through a relay and without one.
struct RelayedPushRow {
  let workspace: Workspace
  let scale: Scale

  private static let warmUpCount = 2

  /// A pair, and where its applier has its files.
  private struct Way {
    let checkout: String
    let pair: Pair
    var times: [Double] = []

    init(_ name: String, throughRelay: Bool, in workspace: Workspace) throws {
      checkout = "\(name)-checkout"
      try History.checkOut("shop.git", to: checkout, origin: Pair.remote, in: workspace)
      pair = try Pair(
        workspace, name, repository: "shop.git", checkout: checkout, throughRelay: throughRelay)
      try pair.startDaemon()
    }
  }

  func measure() throws -> Measurement {
    let fileCount = scale.isShort ? 1_000 : 10_000
    // Twice as many as elsewhere: the two are close.
    let history = History(
      fileCount: fileCount, commitCount: 2 * scale.runCount + Self.warmUpCount)
    try history.make("shop.git", in: workspace)
    var ways = [
      try Way("relayed", throughRelay: true, in: workspace),
      try Way("direct", throughRelay: false, in: workspace),
    ]
    defer { for way in ways { way.pair.stopDaemon() } }
    var before = try workspace.revision("base", in: "shop.git")
    for (number, commit) in try History.commits(of: "shop.git", in: workspace).enumerated() {
      // In turn, so that what the machine does besides is in both.
      for index in number % 2 == 0 ? [0, 1] : [1, 0] {
        workspace.settle()
        let push = try ways[index].pair.startPush(of: commit, behind: before)
        let time = seconds(try push.wait())
        try workspace.require(commit, in: ways[index].checkout)
        if number >= Self.warmUpCount { ways[index].times.append(time) }
      }
      before = commit
    }
    let (relayed, direct) = (median(ways[0].times), median(ways[1].times))
    return Measurement(
      name: "(k) hook to applied, one file of \(fileCount), through a relay and without",
      ours: milliseconds(relayed), theirs: milliseconds(direct), ratio: relayed / direct,
      goal: .atMost(1.5),
      notes: ways.map { way in
        "\(way.checkout): " + way.times.map { milliseconds($0) }.joined(separator: ", ")
      })
  }
}
