import Foundation
import TestSupport

/// (m): a push to more and more recipients, into the outbox: what ten times as many cost.
struct RecipientsRow {
  let workspace: Workspace
  let scale: Scale

  private static let runCount = 3

  private var counts: [Int] { scale.isShort ? [10, 100, 1_000] : [10, 100, 1_000, 10_000] }

  func measure() throws -> [Measurement] {
    try History(fileCount: 10, commitCount: Self.runCount).make("shop.git", in: workspace)
    _ = try TestIdentity.make("signer")
    let times = try counts.map { try median(pushTimes(to: $0)) }
    return zip(counts.indices, counts.dropLast()).map { index, count in
      let (few, many) = (10 * times[index], times[index + 1])
      return Measurement(
        name: "(m) sign-and-send to \(10 * count) recipients, and ten times that to \(count)",
        ours: milliseconds(many), theirs: milliseconds(few), ratio: many / few, goal: .atMost(1.5))
    }
  }

  private func pushTimes(to count: Int) throws -> [Double] {
    let name = "recipients-\(count)"
    try workspace.makeDirectory(name + "/web")
    try workspace.run([workspace.distro, "keygen", "signer"], in: name)
    try workspace.run([workspace.distro, "keygen", "relay"], in: name)
    for number in 0..<count {
      let identity = try TestIdentity.make("web\(number)").public
      try workspace.write(identity.line + "\n", to: name + "/web/\(number).pub")
    }
    try workspace.write(
      """
      identity: keys/signer.key
      state: signer
      carriers: [{zeromq: {connect: "tcp://127.0.0.1:9", server: keys/relay.pub}}]
      repositories:
        - path: "\(workspace.path("shop.git"))"
          remote: "\(Pair.remote)"
          branches: [main]
          recipients: [\((0..<count).map { "web/\($0).pub" }.joined(separator: ", "))]
      """, to: name + "/signer.yaml")
    let commits = try History.commits(of: "shop.git", in: workspace)
    func push(_ commit: String) throws -> Double {
      try workspace.git("update-ref", "refs/heads/main", commit, in: "shop.git")
      return seconds(
        try workspace.run(
          [
            workspace.distro, "sign-and-send", "--config", workspace.path(name + "/signer.yaml"),
            "--ref", "main", "--wait", "0",
          ], in: "shop.git"))
    }
    // The recipients are known from the first one on.
    _ = try push(try workspace.revision("base", in: "shop.git"))
    return try commits.map { try push($0) }
  }
}
