import Foundation

/// What happened, for people.
struct Counts {
  var kills: [String: Int] = [:]
  /// Of appliers, by how far a step had come; and those that left a journal's entry.
  var steps: [Applier.Step: Int] = [:]
  var journals = 0
  /// A step was begun, and its journal was not written: nothing of it may remain.
  var recoveriesBack = 0
  var treesChecked = 0
  var cuts = 0
  var fills: [String: Int] = [:]
  var endsOnFullDisk = 0
  var pushes = Pusher.Tally()
  private var recoveriesForward = 0
  private var messages = 0
  private var applied = 0
  private var behind = 0
  private var healings = 0
  private var replays = 0
  private var superseded = 0
  private var faults = 0
  private var byteCount = 0

  var killCount: Int { kills.values.reduce(0, +) }

  /// What the roles have written down themselves.
  mutating func read(_ world: World) throws {
    for applier in world.appliers {
      let log = applier.daemon.log
      recoveriesForward += try log.count("event=recovered")
      applied += try log.count(" applied ")
      replays += try log.count("reason=replayed")
      faults += try log.count("a fault of the carrier")
    }
    let signer = world.signerState
    messages = try signer.count("sent")
    behind = try signer.count("answer", "state = 'behind'")
    superseded = try signer.count("answer", "state = 'superseded'")
    healings = try world.signer.log.count(" healing ")
    byteCount = world.lines.map(\.byteCount).reduce(0, +)
  }

  func print(seconds: Double) {
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    let steps = Dictionary(uniqueKeysWithValues: steps.map { ($0.key.rawValue, $0.value) })
    say(
      """
      kills: \(killCount) (\(list(kills)))
      appliers killed in a step: \(list(steps)); with a journal \(journals)
      recoveries: forward \(recoveriesForward), back \(recoveriesBack); trees checked \(treesChecked)
      connections cut: \(cuts); disks filled: \(list(fills)); ends on a full disk: \(endsOnFullDisk)
      pushes: \(pushes.pushes), large ones \(pushes.largePushes); messages: \(messages); \
      over the lines: \(byteCount >> 20) MiB
      applied: \(applied), superseded \(superseded), behind \(behind), healed \(healings), \
      replays refused \(replays), faults \(faults)
      duration: \(Int(seconds)) s
      """)
  }
}
