import Foundation
import TestSupport

/// (z): a push to a fleet of real machines by way of a real NATS, each machine the program itself: what ten times as many
/// cost, from the push to the last receipt.
struct BrokerFleetRow {
  let workspace: Workspace
  let scale: Scale

  private var counts: [Int] { scale.isShort ? [10, 100] : [200, 2_000] }

  private struct Costs {
    var stored = 0.0
    var applied = 0.0
    var receipts = 0.0

    var total: Double { stored + applied + receipts }
  }

  /// None where there is no NATS.
  func measure() throws -> [Measurement] {
    if let reason = NATSServer.absence {
      Bench.say("(z) is left out: \(reason)")
      return []
    }
    try History(fileCount: 10, commitCount: 1).make("shop.git", in: workspace)
    let (few, many) = (try costs(of: counts[0]), try costs(of: counts[1]))
    let factor = Double(counts[1]) / Double(counts[0])
    func each(_ seconds: Double) -> String { milliseconds(seconds / Double(counts[1])) }
    return [
      Measurement(
        name:
          "(z) push to \(counts[1]) machines by NATS, and \(number(factor)) times that to \(counts[0])",
        ours: milliseconds(many.total), theirs: milliseconds(factor * few.total),
        ratio: many.total / (factor * few.total), goal: .atMost(1.5),
        notes: [
          "for each machine: sent and stored \(each(many.stored)), its own program from start to end "
            + "\(each(many.applied)), receipt \(each(many.receipts)); one program after the other"
        ])
    ]
  }

  private func costs(of count: Int) throws -> Costs {
    let server = try NATSServer()
    let name = "nats-\(count)"
    let names = (0..<count).map { "web\($0)" }
    try workspace.makeDirectory(name)
    for identity in ["signer"] + names {
      try workspace.run([workspace.distro, "keygen", identity], in: name)
    }
    let carriers = "carriers: [{nats: {urls: [\"\(server.url)\"]}}]"
    for machine in names {
      try workspace.write(
        """
        identity: keys/\(machine).key
        state: state/\(machine)
        \(carriers)
        trusted-signers: [keys/signer.pub]
        checkouts: [{remote: "\(Pair.remote)", branch: main, path: "live/\(machine)"}]
        """, to: "\(name)/\(machine).yaml")
    }
    try workspace.write(
      """
      identity: keys/signer.key
      state: state/signer
      \(carriers)
      repositories:
        - path: "\(workspace.path("shop.git"))"
          remote: "\(Pair.remote)"
          branches: [main]
          recipients: [\(names.map { "keys/\($0).pub" }.joined(separator: ", "))]
      """, to: "\(name)/signer.yaml")
    try workspace.makeDirectory(name + "/live")
    func collect() throws -> Double {
      try names.reduce(0) { sum, machine in
        sum
          + seconds(
            try workspace.run(
              [workspace.distro, "verify-apply", "--config", "\(machine).yaml", "--once"], in: name)
          )
      }
    }
    func send(_ arguments: String..., endingWith status: Int32 = 0) throws -> Double {
      seconds(
        try workspace.run(
          [workspace.distro, "sign-and-send", "--config", "signer.yaml"] + arguments, in: name,
          endingWith: status))
    }
    // Each makes its mailbox; then all are brought to the first revision.
    _ = try collect()
    let revisions =
      [try workspace.revision("base", in: "shop.git")]
      + (try History.commits(of: "shop.git", in: workspace))
    var costs = Costs()
    for revision in revisions {
      try workspace.git("update-ref", "refs/heads/main", revision, in: "shop.git")
      // It waits a second for answers, which nobody gives yet.
      costs.stored =
        try send("--repository", Pair.remote, "--ref", "main", "--wait", "1", endingWith: 1) - 1
      costs.applied = try collect()
      // Ends with 0 where all are up to date.
      costs.receipts = try send("--flush", "--wait", "60")
    }
    return costs
  }
}
