import Foundation

/// One-file pushes, each by both ways: hook to receipt, and `git push` with `git pull --ff-only`.
struct PushRows {
  let workspace: Workspace
  let scale: Scale

  private struct Times {
    var distro: [Double] = []
    var push: [Double] = []
    var pull: [Double] = []
  }

  /// (a): against git, on a repository of 10,000 files.
  func againstGit() throws -> Measurement {
    let times = try measure(fileCount: scale.isShort ? 1_000 : 10_000, withGit: true)
    let (ours, theirs) = (median(times.distro), median(times.push) + median(times.pull))
    return Measurement(
      name: "(a) hook to applied, one file of 10,000, and git push + git pull --ff-only",
      ours: milliseconds(ours), theirs: milliseconds(theirs), ratio: ours / theirs,
      goal: .atMost(0.3),
      notes: [
        "git push \(milliseconds(median(times.push))), git pull \(milliseconds(median(times.pull)))",
        "each: " + times.distro.map { milliseconds($0) }.joined(separator: ", "),
      ])
  }

  /// (b): against itself, a hundred times smaller.
  func againstSmall() throws -> Measurement {
    let small = try measure(fileCount: 1_000, withGit: false).distro
    let large = try measure(fileCount: scale.isShort ? 10_000 : 100_000, withGit: false).distro
    return Measurement(
      name: "(b) the same of 100,000 files, and of 1,000", ours: milliseconds(median(large)),
      theirs: milliseconds(median(small)), ratio: median(large) / median(small),
      goal: .atMost(1.5),
      notes: ["each: " + large.map { milliseconds($0) }.joined(separator: ", ")])
  }

  private func measure(fileCount: Int, withGit: Bool) throws -> Times {
    let warmUpCount = 2
    let history = History(fileCount: fileCount, commitCount: scale.runCount + warmUpCount)
    try history.make("developer.git", in: workspace)
    defer {
      workspace.discard(["developer.git", "shop.git", "host.git", "checkout", "clone", "pair"])
    }
    try workspace.git("clone", "--quiet", "--bare", "developer.git", "shop.git", in: "")
    try History.checkOut("shop.git", to: "checkout", origin: Pair.remote, in: workspace)
    if withGit {
      try workspace.git("clone", "--quiet", "--bare", "developer.git", "host.git", in: "")
      try workspace.git("update-ref", "refs/heads/main", "base", in: "host.git")
      try History.checkOut("host.git", to: "clone", origin: nil, in: workspace)
    }
    let commits = try History.commits(of: "developer.git", in: workspace)
    let pair = try Pair(workspace, "pair", repository: "shop.git", checkout: "checkout")
    defer { pair.stopDaemon() }
    try pair.startDaemon()
    var before = try workspace.revision("base", in: "developer.git")
    var times = Times()
    for (number, commit) in commits.enumerated() {
      let one = try measureOne(commit, before: before, pair, withGit: withGit)
      before = commit
      guard number >= warmUpCount else { continue }
      times.distro.append(one.distro)
      times.push.append(one.push)
      times.pull.append(one.pull)
    }
    return times
  }

  private func measureOne(
    _ commit: String, before: String, _ pair: Pair, withGit: Bool
  ) throws -> (distro: Double, push: Double, pull: Double) {
    var (push, pull) = (0.0, 0.0)
    if withGit {
      workspace.settle()
      let target = workspace.path("host.git")
      push = seconds(
        try workspace.git("push", "--quiet", target, "\(commit):main", in: "developer.git"))
      pull = seconds(try workspace.git("pull", "--quiet", "--ff-only", in: "clone"))
      try workspace.require(commit, in: "clone")
    }
    workspace.settle()
    let distro = seconds(try pair.startPush(of: commit, behind: before).wait())
    try workspace.require(commit, in: "checkout")
    return (distro, push, pull)
  }
}
