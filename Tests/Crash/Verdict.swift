import Foundation

/// What a run must leave behind when all has ended: the source's revision everywhere, and nothing else anywhere.
struct Verdict {
  private let world: World

  init(_ world: World) { self.world = world }

  /// What is wrong.
  func findings() throws -> [String] {
    var findings = try Quiet(world).obstacles()
    for applier in world.appliers {
      findings += try self.findings(of: applier).map { "\(applier.daemon.name): \($0)" }
    }
    findings += try stateFindings(world.relayState, "relay")
    findings += try stateFindings(world.signerState, "signer")
    return findings + (try lostMessages())
  }

  /// Nobody moves a checkout here but the messages: one that was not applied as it was sent had been lost, though the
  /// machine was healed since. The first answer to a message stands, so that a repetition's refusal is none of these.
  /// The first message of a stream is no loss where the hook before it was killed: its base is git's word, not ours.
  private func lostMessages() throws -> [String] {
    try world.signerState.rows(
      """
      SELECT name, state, answer.refusal, COUNT(*) FROM answer
      JOIN recipient ON recipient.stream = answer.stream AND mailbox = answer.recipient
      JOIN sent ON sent.message = answer.message
      WHERE state != 'applied' AND (state != 'behind' OR before IS NULL OR EXISTS (
        SELECT 1 FROM sent AS other WHERE other.stream = sent.stream AND other.after = sent.before))
      GROUP BY name, state, answer.refusal
      """
    ).map { "lost on the way: \($0)" }
  }

  private func findings(of applier: Applier) throws -> [String] {
    var findings: [String] = []
    func require(_ what: String, isEmpty text: String) {
      if !text.isEmpty { findings.append("\(what): \(text)") }
    }
    require("git status", isEmpty: try applier.checkout.differences())
    require("git fsck", isEmpty: try applier.checkout.complaints())
    require("left over", isEmpty: try applier.leftovers().joined(separator: " "))
    require("applied twice", isEmpty: try repetitions(try sequences(applier)))
    require("branch moved twice", isEmpty: try repetitions(try moves(applier)))
    findings += try stateFindings(applier.state, "state")
    let log = try applier.daemon.log.lines()
    findings += log.filter { $0.contains("event=refused ") && !$0.contains("reason=replayed") }
      .map { String($0) }
    findings += log.filter { $0.contains("event=recovery-failed") }.map { String($0) }
    return findings
  }

  private func stateFindings(_ state: State, _ name: String) throws -> [String] {
    var findings: [String] = []
    let spool = try state.spool
    if !spool.isEmpty { findings.append("\(name): spool: \(spool)") }
    for table in ["delivery", "message", "chunk"] {
      let count = try state.count(table)
      if count > 0 { findings.append("\(name): \(count) rows in \(table)") }
    }
    let usage = try state.count("usage", "byteCount != 0 OR messageCount != 0")
    if usage > 0 { findings.append("\(name): \(usage) rows of usage are not 0") }
    let sound = try state.rows("PRAGMA integrity_check")
    if sound.count != 1 || !sound[0].contains("ok") { findings.append("\(name): \(sound)") }
    return findings
  }

  /// Of every message that was logged as applied, over all runs.
  private func sequences(_ applier: Applier) throws -> [String] {
    try applier.daemon.log.lines().filter { $0.contains("event=applied ") }.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("sequence=") }.map { String($0) }
    }
  }

  /// Where the branch was moved to. An entry is written just before its move: a kill in between doubles it.
  private func moves(_ applier: Applier) throws -> [String] {
    let all = try applier.checkout.git(["reflog", "--format=%H", "main"])
      .split(separator: "\n").map { String($0) }
    return zip(all, all.dropFirst()).filter { $0 != $1 }.map(\.0) + all.suffix(1)
  }

  private func repetitions(_ names: [String]) throws -> String {
    Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
      .joined(separator: " ")
  }
}
