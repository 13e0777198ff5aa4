import BareBrokers

/// One-file pushes from the hook to applied, by several ways in turn: each has a signer and an applier of its own, and all
/// have one repository.
struct PushComparison {
  let workspace: Workspace
  let scale: Scale

  private static let warmUpCount = 2

  /// A pair, and where its applier has its files.
  private struct Way {
    let checkout: String
    let pair: Pair
    var times: [Double] = []

    init(_ name: String, _ way: Pair.Way, in workspace: Workspace) throws {
      checkout = "\(name)-checkout"
      try History.checkOut("shop.git", to: checkout, origin: Pair.remote, in: workspace)
      pair = try Pair(workspace, name, repository: "shop.git", checkout: checkout, by: way)
      try pair.startDaemon()
    }
  }

  var fileCount: Int { scale.isShort ? 1_000 : 10_000 }

  /// Seconds of each push, in the order of `ways`.
  func measure(_ kinds: [(name: String, way: Pair.Way)]) throws -> [[Double]] {
    // Twice as many as elsewhere: they are close.
    let history = History(
      fileCount: fileCount, commitCount: 2 * scale.runCount + Self.warmUpCount)
    try history.make("shop.git", in: workspace)
    var ways = try kinds.map { try Way($0.name, $0.way, in: workspace) }
    defer { for way in ways { way.pair.stopDaemon() } }
    var before = try workspace.revision("base", in: "shop.git")
    for (number, commit) in try History.commits(of: "shop.git", in: workspace).enumerated() {
      // In turn, so that what the machine does besides is in all.
      for index in number % 2 == 0 ? Array(ways.indices) : ways.indices.reversed() {
        workspace.settle()
        let push = try ways[index].pair.startPush(of: commit, behind: before)
        let time = seconds(try push.wait())
        try workspace.require(commit, in: ways[index].checkout)
        if number >= Self.warmUpCount { ways[index].times.append(time) }
      }
      before = commit
    }
    return ways.map(\.times)
  }
}

/// (k): through a relay, and without one.
struct RelayedPushRow {
  let workspace: Workspace
  let scale: Scale

  func measure() throws -> Measurement {
    let comparison = PushComparison(workspace: workspace, scale: scale)
    let times = try comparison.measure([("relayed", .relay), ("direct", .direct)])
    let (relayed, direct) = (median(times[0]), median(times[1]))
    return Measurement(
      name: "(k) hook to applied, one file of \(comparison.fileCount), through a relay and without",
      ours: milliseconds(relayed), theirs: milliseconds(direct), ratio: relayed / direct,
      goal: .atMost(1.5),
      notes: zip(["relayed", "direct"], times).map { name, times in
        "\(name): " + times.map { milliseconds($0) }.joined(separator: ", ")
      })
  }
}

/// (p): by each broker, and by ZeroMQ without anything between.
struct BrokerPushRow {
  let workspace: Workspace
  let scale: Scale

  func measure() throws -> [Measurement] {
    let brokers = try BrokerPlace.start(in: workspace)
    let comparison = PushComparison(workspace: workspace, scale: scale)
    let kinds: [(name: String, way: Pair.Way)] = brokers.enumerated().map { index, broker in
      ("broker\(index)", .broker(entry: broker.entry))
    }
    let times = try comparison.measure([("direct", .direct)] + kinds).map { median($0) }
    return zip(brokers, times.dropFirst()).map { broker, time in
      Measurement(
        name:
          "(p) hook to applied, one file of \(comparison.fileCount), by \(broker.name) and by ZeroMQ",
        ours: milliseconds(time), theirs: milliseconds(times[0]), ratio: time / times[0],
        goal: .atMost(2))
    }
  }
}
