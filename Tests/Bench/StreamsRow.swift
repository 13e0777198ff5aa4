import Foundation
import TestSupport

/// (l): branches on which nothing happens but heartbeats: what they cost the signer's daemon and an applier with a
/// checkout of each, with the default interval. All pairs are at work in the same minute.
struct StreamsRow {
  let workspace: Workspace
  let scale: Scale

  private static let interval = 60.0
  /// The first heartbeats, and what follows the last checkout.
  private static let rest = 20.0

  private var counts: [Int] { scale.isShort ? [10, 100] : [10, 100, 1_000] }

  func measure() throws -> [Measurement] {
    try History(fileCount: 10, commitCount: 1).make("shop.git", in: workspace)
    let pairs = try counts.map {
      try StreamsPair(workspace, repository: "shop.git", streamCount: $0)
    }
    defer { for pair in pairs { pair.stop() } }
    Thread.sleep(forTimeInterval: Self.rest)
    let before = try pairs.map { try $0.processorTimes }
    Thread.sleep(forTimeInterval: Self.interval)
    return try zip(pairs, before).flatMap { pair, before in
      let after = try pair.processorTimes
      return [
        row(pair, "signer's daemon", after.signer - before.signer),
        row(pair, "applier", after.applier - before.applier),
      ]
    }
  }

  private func row(_ pair: StreamsPair, _ role: String, _ time: Double) -> Measurement {
    let share = time / Self.interval
    return Measurement(
      name:
        "(l) \(pair.streamCount) idle streams: processor time of the \(role) over 60 s, and of one core",
      ours: "\(number(share * 100)) %", theirs: "100 %", ratio: share, goal: .atMost(0.01),
      notes: ["set up within \(number(pair.setUp)) s"])
  }
}

/// A signer's daemon and an applier, with so many remotes of one repository.
final class StreamsPair {
  let streamCount: Int
  /// How long it took until every checkout was there, in seconds.
  let setUp: Double
  private let signer: Program
  private let applier: Program

  init(_ workspace: Workspace, repository: String, streamCount: Int) throws {
    self.streamCount = streamCount
    let begin = ContinuousClock.now
    let name = "streams-\(streamCount)"
    let directory = workspace.path(name)
    try workspace.makeDirectory(name + "/live")
    for identity in ["signer", "web"] {
      try workspace.run([workspace.distro, "keygen", identity], in: name)
    }
    let remotes = (0..<streamCount).map { "git@example.org:acme/shop-\($0).git" }
    try workspace.write(
      """
      identity: keys/web.key
      state: applier
      carriers: [{zeromq: {listen: "tcp://127.0.0.1:*"}}]
      trusted-signers: [keys/signer.pub]
      checkouts:

      """
        + remotes.enumerated().map { number, remote in
          "  - {remote: \"\(remote)\", branch: main, path: \"\(directory)/live/\(number)\"}\n"
        }.joined(), to: name + "/web.yaml")
    let log = directory + "/web.log"
    applier = try Program(
      [workspace.distro, "verify-apply", "--config", "web.yaml"], in: directory, output: log,
      environment: workspace.environment)
    let words = " endpoint="
    let line = try applier.line(with: words)
    let endpoint = line.range(of: words).map { line[$0.upperBound...].prefix { $0 != " " } } ?? ""
    try workspace.write(
      """
      identity: keys/signer.key
      state: signer
      carriers: [{zeromq: {connect: "\(endpoint)", server: keys/web.pub}}]
      repositories:

      """
        + remotes.map { remote in
          """
            - path: "\(workspace.path(repository))"
              remote: "\(remote)"
              branches: [main]
              recipients: [keys/web.pub]

          """
        }.joined(), to: name + "/signer.yaml")
    try workspace.write("signer: signer.yaml\n", to: name + "/serve.yaml")
    try workspace.run(
      [
        workspace.distro, "sign-and-send", "--config", directory + "/signer.yaml", "--ref", "main",
        "--wait", "0",
      ], in: repository)
    signer = try Program(
      [workspace.distro, "serve", "--config", "serve.yaml"], in: directory,
      output: directory + "/signer.log", environment: workspace.environment)
    let heads = (0..<streamCount).map { directory + "/live/\($0)/.git/refs/heads/main" }
    while !heads.allSatisfy({ FileManager.default.fileExists(atPath: $0) }) {
      guard applier.isRunning, signer.isRunning else { throw ProgramFailure(description: name) }
      usleep(200_000)
    }
    setUp = seconds(ContinuousClock.now - begin)
  }

  var processorTimes: (signer: Double, applier: Double) {
    get throws { (try signer.processorTime, try applier.processorTime) }
  }

  func stop() {
    signer.stop()
    applier.stop()
  }
}
