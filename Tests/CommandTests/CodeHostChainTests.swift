import Foundation
import TestSupport
import Testing

/// The whole chain: a push at a code host, its webhook, fetch, signature, relay, two machines, receipts, statuses at the
/// host, and mail.
struct CodeHostChainTests {
  /// Of each line the host shows what it is to show; the number of a message may follow.
  private func expect(
    _ chain: CodeHostInstallation, _ shown: [String: String], at revision: String,
    _ log: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isShown = becomesTrue {
      let now = chain.statuses.shown(at: revision)
      return now.keys == shown.keys
        && now.allSatisfy { context, text in text.hasPrefix(shown[context] ?? "-") }
    }
    let now = chain.statuses.shown(at: revision)
    #expect(isShown, "\(now)\n\(log())", sourceLocation: sourceLocation)
  }

  /// The words of a mail that name these machines, in whatever order they were told.
  private func isTold(
    _ chain: CodeHostInstallation, _ event: String, _ machines: [String], at revision: String
  ) throws -> Bool {
    let lines = try chain.mailLines().filter {
      $0.hasPrefix(event + ": ") && $0.contains("at \(revision.prefix(12))")
    }
    return machines.allSatisfy { machine in lines.contains { $0.contains(machine) } }
  }

  /// One line of the log holds all of this.
  private func expectLine(
    _ daemon: RunningProgram, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isLogged = becomesTrue {
      daemon.log.split(separator: "\n").contains { line in
        parts.allSatisfy { line.contains($0) }
      }
    }
    #expect(isLogged, "\(daemon.log)", sourceLocation: sourceLocation)
  }

  @Test func `a push is applied on two machines, shown at the host, and told by mail`() throws {
    let chain = try CodeHostInstallation(host: "github", statuses: try StatusHost())
    let relay = try chain.startRelay()
    try chain.folder.write("serve.yaml", "signer: signer.yaml\nhooks: hooks.yaml\n")
    let daemon = try chain.installation.startSigner()
    var machines: [RunningProgram] = []
    for number in 1...2 {
      let revision = try chain.push(["a": "\(number)\n"])
      #expect(try chain.knock(revision) == "202")
      if machines.isEmpty {
        // Nothing was applied yet: the host shows that it is under way.
        expect(
          chain,
          [
            "distro": "pending: 0/2 applied", "distro/web1": "pending: ",
            "distro/web2": "pending: ",
          ],
          at: revision, daemon.log)
        machines = try chain.startMachines()
      }
      for checkout in [chain.installation.checkout, chain.other] {
        #expect(becomesTrue { checkout.stands(at: revision) }, "\(daemon.log)")
        #expect(try checkout.fsck() == "")
      }
      let applied = "success: applied \(revision.prefix(12))"
      expect(
        chain,
        ["distro": "success: 2/2 applied", "distro/web1": applied, "distro/web2": applied],
        at: revision, daemon.log)
      #expect(
        try becomesTrue { try isTold(chain, "applied", ["web1", "web2"], at: revision) },
        "\(daemon.log)")
      for machine in ["web1", "web2"] {
        expectLine(
          daemon, "event=applied", "machine=\(machine)", "revision=\(revision.prefix(12))",
          "sequence=", "stream=\"\(Installation.remote) main\"")
      }
    }
    // No secret is in a line of the log.
    #expect(!daemon.log.contains("-0123"))
    daemon.expectEnd()
    for program in machines + [relay] { #expect(program.end().status == 0) }
  }

  @Test func `a host that is broken and a machine that refuses keep nothing else back`() throws {
    let host = try StatusHost(root: "/api/v1", scheme: "token")
    let chain = try CodeHostInstallation(host: "gitea", statuses: host)
    let relay = try chain.startRelay()
    let machines = try chain.startMachines()
    let hooks = try RunningProgram(
      chain.installation.program, ["hooks", "--config", "hooks.yaml"])
    try hooks.line(with: "event=listening")
    let daemon = try chain.installation.startSigner()
    let first = try chain.push(["a": "1\n"])
    #expect(try chain.knock(first) == "202")
    let applied = "success: applied "
    expect(
      chain, ["distro": "success: 2/2 applied", "distro/web1": applied, "distro/web2": applied],
      at: first, hooks.log + daemon.log)

    host.setBroken(true)
    try chain.other.write("a", "by hand\n")
    let second = try chain.push(["a": "2\n"])
    #expect(try chain.knock(second) == "202")
    let checkout = chain.installation.checkout
    #expect(becomesTrue { checkout.stands(at: second) }, "\(daemon.log)")
    expectLine(daemon, "event=refused", "machine=web2", "refusal=local-changes")
    // Mail does not wait for the host.
    #expect(
      try becomesTrue {
        try isTold(chain, "refused", ["web2"], at: second)
          && isTold(chain, "applied", ["web1"], at: second)
      }, "\(daemon.log)")
    #expect(try chain.mailLines().contains { $0.contains("local-changes") })
    #expect(becomesTrue { host.refusalCount > 0 })
    try daemon.line(with: "event=status-delayed")
    #expect(host.shown(at: second).isEmpty)

    host.setBroken(false)
    expect(
      chain,
      [
        "distro": "failure: 1/2 applied, 1 refused: local-changes", "distro/web1": applied,
        "distro/web2": "failure: refused: local-changes",
      ], at: second, daemon.log)
    try daemon.line(with: "event=status-resumed")
    // What the machine says in its own words, which may name files, stays here.
    #expect(!host.lines(of: second).contains { $0.contains("by hand") || $0.contains("'a'") })
    #expect(try chain.other.id().hex == first)

    // The edit is taken back: the machine comes along, and everyone hears it.
    try chain.other.git("checkout", "-q", "a")
    let third = try chain.push(["a": "3\n"])
    #expect(try chain.knock(third) == "202")
    #expect(becomesTrue { chain.other.stands(at: third) }, "\(daemon.log)")
    #expect(becomesTrue { host.shown(at: third)["distro"] == "success: 2/2 applied" })
    #expect(
      try becomesTrue { try isTold(chain, "recovered", ["web2"], at: third) }, "\(daemon.log)")
    daemon.expectEnd()
    hooks.expectEnd()
    for program in machines + [relay] { #expect(program.end().status == 0) }
  }
}
