import Foundation
import TestSupport

/// (x): one-file pushes, from the webhook to applied, beside `sign-and-send` of the same commit and a fetch of it.
struct HookedPushRow {
  let workspace: Workspace
  let scale: Scale

  private static let warmUpCount = 2
  private static let mirror = "mirror.git"

  private struct Times {
    var hooked: [Double] = []
    var sent: [Double] = []
    var fetched: [Double] = []
  }

  func measure() throws -> Measurement {
    let fileCount = scale.isShort ? 1_000 : 10_000
    let history = History(
      fileCount: fileCount, commitCount: scale.runCount + Self.warmUpCount)
    try history.make("shop.git", in: workspace)
    try workspace.git("clone", "-q", "--mirror", "shop.git", Self.mirror, in: "")
    let sent = try pair("sent", isFetched: false)
    let hooked = try pair("hooked", isFetched: true)
    defer { for pair in [sent, hooked] { pair.stopDaemon() } }
    let port = try FreePort.take()
    let server = try hooked.startHooks(HookLine.Hook(), at: port)
    defer { server.stop() }
    let line = try HookLine(to: port)
    var times = Times()
    var before = try workspace.revision("base", in: "shop.git")
    for (number, commit) in try History.commits(of: "shop.git", in: workspace).enumerated() {
      workspace.settle()
      let push = seconds(try sent.startPush(of: commit, behind: before).wait())
      try workspace.require(commit, in: "sent-checkout")
      workspace.settle()
      let fetch = seconds(try workspace.git("fetch", "-q", in: Self.mirror))
      workspace.settle()
      let start = ContinuousClock.now
      try line.post()
      try wait(for: commit, in: "hooked-checkout", of: server)
      let hook = seconds(.now - start)
      try workspace.require(commit, in: "hooked-checkout")
      before = commit
      guard number >= Self.warmUpCount else { continue }
      times.sent.append(push)
      times.fetched.append(fetch)
      times.hooked.append(hook)
    }
    return result(times, fileCount)
  }

  private func pair(_ name: String, isFetched: Bool) throws -> Pair {
    try History.checkOut("shop.git", to: name + "-checkout", origin: Pair.remote, in: workspace)
    let pair = try Pair(
      workspace, name, repository: "shop.git", checkout: name + "-checkout", isFetched: isFetched)
    try pair.startDaemon()
    return pair
  }

  private func wait(for commit: String, in checkout: String, of server: Program) throws {
    let branch = workspace.path(checkout + "/.git/refs/heads/main")
    while FileManager.default.contents(atPath: branch)?.prefix(40) != Data(commit.utf8) {
      guard server.isRunning else { throw ProgramFailure(description: "distro serve has ended") }
      usleep(1_000)
    }
  }

  private func result(_ times: Times, _ fileCount: Int) -> Measurement {
    let (hooked, sent, fetched) = (
      median(times.hooked), median(times.sent), median(times.fetched)
    )
    return Measurement(
      name: "(x) webhook to applied, one file of \(fileCount); sign-and-send and a fetch",
      ours: milliseconds(hooked), theirs: milliseconds(sent + fetched),
      ratio: hooked / (sent + fetched), goal: .atMost(1),
      notes: ["sign-and-send alone \(milliseconds(sent)), git fetch alone \(milliseconds(fetched))"]
    )
  }
}
