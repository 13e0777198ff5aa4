import Applier
import CarrierProtocol
import Foundation
import GitModel
import Mailboxes
import MessageFormat
import Signer
import Sodium
import TestSupport

/// A fleet in one process, on one thread, in a time of its own: a signer, a relay, five appliers, real repositories.
final class World {
  static let applierCount = 5
  static let remote = RemoteName(known: "git@example.org:acme/shop.git")

  let root: String
  let clock = WorldClock()
  var random: SeededGenerator
  var trace: Trace
  let source: Source
  let middle: any Middle
  let signer: SignerHost
  private(set) var appliers: [ApplierHost] = []
  /// Where each stream led to, and since when.
  private(set) var heads: [BranchName: [(time: UInt64, revision: ObjectID)]] = [:]
  let main: BranchName
  let next: BranchName
  let heartbeatSeconds: UInt64
  /// Who gets the second branch as well.
  let nextRecipientCount = 2
  /// Hooks may run while another hook is at work.
  let allowsOverlap: Bool
  /// What is broken on purpose, once.
  let sabotage: Sabotage?
  private var isSabotaged = false
  private let judge = Judge()

  init(seed: UInt64, root: String, isPrinted: Bool, allowsOverlap: Bool, sabotage: Sabotage?) throws
  {
    self.root = root
    self.allowsOverlap = allowsOverlap
    self.sabotage = sabotage
    SeededRandomness.begin(seed: seed)
    random = SeededGenerator(seed: seed)
    trace = Trace(clock, isPrinted: isPrinted)
    guard let main = BranchName("main"), let next = BranchName("next") else {
      preconditionFailure("both are names")
    }
    (self.main, self.next) = (main, next)
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    source = try Source(path: root + "/source.git", branches: [main, next])
    heartbeatSeconds = [60, 300, 1_800].randomElement(using: &random) ?? 60
    let identity = try TestIdentity.make("signer")
    let machines = try (0..<Self.applierCount).map { try TestIdentity.make("web\($0)") }
    let mailboxes = machines.map(\.public.mailbox)
    var depositors = Dictionary(
      uniqueKeysWithValues: mailboxes.map { ($0, Set([identity.public.mailbox])) })
    depositors[identity.public.mailbox] = Set(mailboxes)
    let jitter = SeededJitter(seed)
    if seed.isMultiple(of: 2) {
      middle = BrokerHost(seed: seed, clock: HostClock(clock))
    } else {
      middle = try RelayHost(
        directory: root + "/relay", mailboxes: mailboxes + [identity.public.mailbox],
        access: CarrierAccess(depositors: depositors, byteCountMax: 1 << 30),
        clock: HostClock(clock), jitter: { jitter.next() })
    }
    switch sabotage {
    case .receipts:
      middle.swallows = { mailbox, depositor in
        mailbox == identity.public.mailbox && depositor == mailboxes[0]
      }
    case .messages: middle.swallows = { mailbox, _ in mailbox == mailboxes[1] }
    default: break
    }
    let history = Bool.random(using: &random) ? SignerRepository.History.tip : .full
    func configured(_ branch: BranchName, _ count: Int) -> SignerRepository {
      SignerRepository(
        path: root + "/source.git", remote: Self.remote, branches: [branch],
        recipients: machines.prefix(count).map(\.public), history: history)
    }
    let settings = SignerSettings(
      identity: identity, state: root + "/signer", carriers: [],
      repositories: [configured(main, Self.applierCount), configured(next, nextRecipientCount)],
      lifetimeMilliseconds: 30 * 86_400_000, heartbeatSeconds: heartbeatSeconds)
    let notes = Notes()
    signer = try SignerHost(
      settings, clock: HostClock(clock), middle: middle, mailboxes: Set(mailboxes),
      trace: { notes.add($0) })
    self.notes = notes
    for (index, machine) in machines.enumerated() {
      appliers.append(try applier(machine, index, signer: identity.public.mailbox))
    }
    notes.take = { [unowned self] in trace.add($0.replacing(root, with: "")) }
  }

  private let notes: Notes

  /// Where hosts put what they have to say, before the world is whole.
  private final class Notes {
    var take: (String) -> Void = { _ in }
    func add(_ text: String) { take(text) }
  }

  private func applier(
    _ identity: Identity, _ index: Int, signer: Mailbox
  ) throws -> ApplierHost {
    let name = "web\(index)"
    let branches = index < nextRecipientCount ? [main, next] : [main]
    let policy: CheckoutSettings.LocalChanges = index == 3 ? .overwrite : .refuse
    let checkouts = branches.map { branch in
      Checkout(
        "\(name)/\(branch)",
        CheckoutSettings(
          stream: StreamName(remote: Self.remote, branch: branch),
          path: "\(root)/\(name)-\(branch)", onLocalChanges: policy,
          onGoingBack: index == 2 ? .refuse : .apply, unusualPaths: .refuse,
          symbolicLinks: .inside, signers: [signer],
          staleAfterSeconds: 10 * heartbeatSeconds),
        outputPath: root + "/git-output")
    }
    let settings = ApplierSettings(
      identity: identity, state: "\(root)/\(name)",
      trustedSigners: [try TestIdentity.make("signer").public],
      checkouts: checkouts.map(\.settings), deadline: .seconds(300))
    var inboxMax = InboxLimit()
    if index == 1 { inboxMax.messageCount = 3 }
    let notes = notes
    return try ApplierHost(
      name, settings, checkouts: checkouts, clock: HostClock(clock), middle: middle,
      inboxMax: inboxMax, trace: { notes.add($0) })
  }

  var checkouts: [Checkout] { appliers.flatMap(\.checkouts) }

  var lines: [any Line] { [signer.line] + appliers.map(\.line) }

  func recipients(of branch: BranchName) -> ArraySlice<ApplierHost> {
    appliers.prefix(branch == main ? Self.applierCount : nextRecipientCount)
  }

  func configured(_ branch: BranchName) -> SignerRepository {
    signer.settings.repositories[branch == main ? 0 : 1]
  }

  // MARK: - Time

  /// Lets time pass, and everyone do what is due in it.
  func advance(milliseconds: UInt64, turnCountMax: Int = 8) throws {
    let end = clock.milliseconds + milliseconds
    let step = max(1, milliseconds / UInt64(turnCountMax))
    try settle()
    while clock.milliseconds < end {
      let due = max(nextDue() ?? end, clock.milliseconds + step)
      clock.advance(milliseconds: min(due, end) - clock.milliseconds)
      try settle()
    }
  }

  private func nextDue() -> UInt64? {
    var times = lines.compactMap(\.nextTurn) + appliers.compactMap(\.nextTurn)
    times += [signer.nextTurn, middle.nextTurn].compactMap { $0 }
    times.append((clock.milliseconds / 1_000 / heartbeatSeconds + 1) * heartbeatSeconds * 1_000)
    return times.min()
  }

  /// Everyone in turns, in an order of the moment, until nobody has anything to do at this time.
  private func settle() throws {
    var turns: [() throws -> Bool] = [
      { [self] in try attempt(middle.name, middle.writeLimit) { try middle.turn() } },
      { [self] in
        let isAtWork: Bool = try attempt("signer", signer.writeLimit) { try signer.turn() }
        try noteHeads()
        return isAtWork
      },
    ]
    for line in lines { turns.append { try line.turn() } }
    for applier in appliers { turns.append { [self] in try turn(applier) } }
    turns.shuffle(using: &random)
    for _ in 0..<1_000 {
      var isAtWork = false
      for turn in turns where try turn() { isAtWork = true }
      if sabotage == .restless { isAtWork = true }
      if !isAtWork { return }
    }
    throw Violation("it never comes to rest", "1,000 turns at one moment")
  }

  private func turn(_ applier: ApplierHost) throws -> Bool {
    guard applier.isDue else { return false }
    let sights = try applier.checkouts.map { try $0.lastSight ?? $0.look() }
    let isAtWork = try attempt(applier.name, applier.writeLimit) { try applier.turn() }
    for (checkout, sight) in zip(applier.checkouts, sights) {
      if let sabotage, !isSabotaged, clock.milliseconds > 600_000 {
        isSabotaged = try sabotage.strike(checkout, of: applier, in: self)
      }
      let now = try checkout.look()
      try judge.judge(checkout, from: sight, to: now, by: applier, in: self)
      checkout.lastSight = now
    }
    return isAtWork
  }

  /// The streams may lead to something else.
  func noteHeads() throws {
    for branch in [main, next] {
      let head = try signer.outbox.head(of: configured(branch).stream(branch))?.revision
      guard let head, head != heads[branch]?.last?.revision else { continue }
      heads[branch, default: []].append((clock.milliseconds, head))
    }
  }

  /// An error is a finding, unless the disk takes no more; then whoever it is tries again.
  func attempt<Value>(
    _ name: String, _ writeLimit: UInt64?, _ body: () throws -> Value
  ) throws -> Value? {
    do {
      return try WriteLimit.during(byteCount: writeLimit, body)
    } catch let violation as Violation {
      throw violation
    } catch {
      note("\(name): \(error)")
      guard writeLimit != nil else {
        throw Violation("a role failed by itself", "\(name): \(error)")
      }
      return nil
    }
  }

  private func attempt(
    _ name: String, _ writeLimit: UInt64?, _ body: () throws -> Bool
  ) throws -> Bool {
    let result: Bool? = try attempt(name, writeLimit, body)
    return result ?? false
  }

  func note(_ text: String) { trace.add(text.replacing(root, with: "")) }

  func remove() throws { try FileManager.default.removeItem(atPath: root) }
}

/// Something is not as it must always be.
struct Violation: Error, CustomStringConvertible {
  let invariant: String
  let detail: String

  init(_ invariant: String, _ detail: String) {
    (self.invariant, self.detail) = (invariant, detail)
  }

  var description: String { "\(invariant): \(detail)" }
}
