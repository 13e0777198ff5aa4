import Foundation

/// (r): a one-file push to a checkout in place and to one with releases, beside `git pull --ff-only` and `rsync -a --delete` of the
/// same change.
struct LayoutRow {
  private static let rsync = "/usr/bin/rsync"

  let workspace: Workspace
  let scale: Scale

  private struct Times {
    var inPlace: [Double] = []
    var releases: [Double] = []
    var pull: [Double] = []
    var rsync: [Double] = []

    var notes: [String] {
      [("in place", inPlace), ("releases", releases), ("git pull", pull), ("rsync", rsync)]
        .filter { !$0.1.isEmpty }.map { "\($0.0) \(milliseconds(median($0.1)))" }
    }
  }

  func measure() throws -> [Measurement] {
    let counts = scale.isShort ? [1_000, 10_000] : [1_000, 10_000, 100_000]
    let times = try counts.map { try measure(fileCount: $0) }
    let notes = zip(counts, times).map { count, times in
      "\(count) files: " + times.notes.joined(separator: ", ")
    }
    func row(
      _ name: String, _ ours: [Double], _ theirs: [Double], _ goal: Double, _ notes: [String] = []
    ) -> Measurement {
      Measurement(
        name: name, ours: milliseconds(median(ours)), theirs: milliseconds(median(theirs)),
        ratio: median(ours) / median(theirs), goal: .atMost(goal), notes: notes)
    }
    let (small, middle, large) = (times[0], times[1], times[times.count - 1])
    return [
      row(
        "(r) one file of 10,000 in place, hook to applied, and git pull", middle.inPlace,
        middle.pull, 1, notes),
      row(
        "(r) the same of \(counts[counts.count - 1]), and of 1,000", large.inPlace, small.inPlace,
        1.5),
      row(
        "(r) one file of 10,000 with releases, and in place", middle.releases, middle.inPlace, 3),
    ]
  }

  private func measure(fileCount: Int) throws -> Times {
    let warmUpCount = 2
    try History(fileCount: fileCount, commitCount: scale.runCount + warmUpCount)
      .make("developer.git", in: workspace)
    let names = ["live", "releases"]
    defer {
      workspace.discard(
        ["developer.git", "clone", "copy"] + names + names.flatMap { [$0 + ".git", $0 + "-pair"] })
    }
    try History.checkOut("developer.git", to: "clone", origin: nil, in: workspace)
    let commits = try History.commits(of: "developer.git", in: workspace)
    var before = try workspace.revision("base", in: "developer.git")
    let pairs = try names.map { name in
      try workspace.git("clone", "--quiet", "--bare", "developer.git", name + ".git", in: "")
      let keys = name == "releases" ? ", layout: releases" : ""
      let pair = try Pair(
        workspace, name + "-pair", repository: name + ".git", checkout: name, checkoutKeys: keys)
      try pair.startDaemon()
      try workspace.git("update-ref", "refs/heads/main", before, in: name + ".git")
      let zeros = String(repeating: "0", count: 40)
      _ = try pair.startHook("\(zeros) \(before) refs/heads/main\n").wait()
      return pair
    }
    defer { for pair in pairs { pair.stopDaemon() } }
    var times = Times()
    for (number, commit) in commits.enumerated() {
      workspace.settle()
      let pull = seconds(
        try workspace.git("pull", "--quiet", "--ff-only", "origin", commit, in: "clone"))
      var rsync: Double?
      if FileManager.default.isExecutableFile(atPath: Self.rsync) {
        workspace.settle()
        rsync = seconds(
          try workspace.run([
            Self.rsync, "-a", "--delete", "--exclude=.git", workspace.path("clone") + "/",
            workspace.path("copy"),
          ]))
      }
      workspace.settle()
      let inPlace = seconds(try pairs[0].startPush(of: commit, behind: before).wait())
      try workspace.require(commit, in: "live")
      workspace.settle()
      let releases = seconds(try pairs[1].startPush(of: commit, behind: before).wait())
      try workspace.require(commit, in: "releases/current")
      before = commit
      guard number >= warmUpCount else { continue }
      times.inPlace.append(inPlace)
      times.releases.append(releases)
      times.pull.append(pull)
      if let rsync { times.rsync.append(rsync) }
    }
    return times
  }
}
