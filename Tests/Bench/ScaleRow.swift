import Applier
import CarrierProtocol
import Foundation
import InProcessCarrier
import Logging
import Mailboxes
import MessageFormat
import Sealing
import Signer
import Sodium
import Synchronization
import TestSupport

/// (y): a push, its receipts and a heartbeat for more and more machines, all of them real but for the lines between: what
/// ten times as many cost the signer, step by step, and what one machine has to do, in time of the processor.
struct ScaleRow {
  let workspace: Workspace
  let scale: Scale

  private var counts: [Int] { scale.isShort ? [10, 100, 1_000] : [10, 100, 1_000, 10_000] }

  func measure() throws -> [Measurement] {
    try History(fileCount: 10, commitCount: 2).make("shop.git", in: workspace)
    let costs = try counts.map { count in
      let fleet = try ScaleFleet(of: count, in: workspace)
      defer { fleet.discard() }
      return try fleet.measure()
    }
    return zip(costs, costs.dropFirst()).map { few, many in
      Measurement(
        name:
          "(y) push, receipts and heartbeat at the signer of \(many.count) machines, and ten times that of \(few.count)",
        ours: milliseconds(many.atSigner), theirs: milliseconds(10 * few.atSigner),
        ratio: many.atSigner / (10 * few.atSigner), goal: .atMost(1.5), notes: many.notes)
    }
  }
}

/// Seconds of the processor.
struct ScaleCosts {
  let count: Int
  var sealing = 0.0
  var deposits = 0.0
  var receipts = 0.0
  var heartbeats = 0.0
  var reports = 0.0
  /// Of all machines, one after the other.
  var applying = 0.0
  var answering = 0.0

  var atSigner: Double { sealing + deposits + receipts + heartbeats + reports }

  var notes: [String] {
    func each(_ seconds: Double) -> String { "\(number(seconds / Double(count) * 1e6)) us" }
    return [
      "for each machine at the signer: signed and sealed \(each(sealing)), deposited \(each(deposits)), "
        + "receipt \(each(receipts)); heartbeat \(each(heartbeats)), report \(each(reports))",
      "on each machine: collected, applied and answered \(each(applying)); heartbeat answered \(each(answering))",
    ]
  }
}

/// A signer and its machines, at a broker in memory. Each machine's state lies in memory as well: they have disks of their own.
private final class ScaleFleet {
  private struct Machine {
    let name: String
    let identity: PublicIdentity
    let place: String
    let checkout: CheckoutSettings

    /// Its secret is in memory only while it is at work: ten thousand would be more than the kernel has guard pages for.
    func settings(trusting signer: PublicIdentity) throws -> ApplierSettings {
      ApplierSettings(
        identity: try TestIdentity.make(name), state: place + "/state", trustedSigners: [signer],
        checkouts: [checkout], deadline: .seconds(600))
    }
  }

  private static let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

  private let workspace: Workspace
  private let machines: [Machine]
  private let settings: SignerSettings
  private let outbox: Outbox
  private let broker = InProcessBroker()
  private let directory: String
  private let clock = ScaleClock()
  private let answerCount = Mutex(0)
  private var traffic: InProcessTraffic?

  init(of count: Int, in workspace: Workspace) throws {
    self.workspace = workspace
    let memory =
      FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : workspace.path
    let directory = memory + "/distro-bench-\(getpid())-\(count)"
    self.directory = directory
    let signer = try TestIdentity.make("signer")
    let remote = try RemoteName(Pair.remote)
    guard let main = BranchName("main") else { preconditionFailure("main is a branch") }
    machines = try (0..<count).map { number in
      let place = "\(directory)/web\(number)"
      return Machine(
        name: "web\(number)", identity: try TestIdentity.make("web\(number)").public, place: place,
        checkout: CheckoutSettings(
          stream: StreamName(remote: remote, branch: main), path: place + "/live",
          onLocalChanges: .refuse, unusualPaths: .refuse, symbolicLinks: .inside,
          signers: [signer.public.mailbox], staleAfterSeconds: 600))
    }
    settings = SignerSettings(
      identity: signer, state: workspace.path("scale-\(count)"), carriers: [],
      repositories: [
        SignerRepository(
          path: workspace.path("shop.git"), remote: remote, branches: [main],
          recipients: machines.map(\.identity), history: .tip)
      ], lifetimeMilliseconds: 86_400_000)
    for machine in machines {
      try FileManager.default.createDirectory(
        atPath: machine.place + "/state", withIntermediateDirectories: true)
    }
    outbox = try Outbox(directory: settings.state)
  }

  func discard() {
    do {
      try FileManager.default.removeItem(atPath: directory)
    } catch {
      Bench.say("\(directory): \(error)")
    }
  }

  func measure() throws -> ScaleCosts {
    traffic = signerTraffic()
    // The checkouts are made; then a patch.
    var costs = ScaleCosts(count: machines.count)
    for revision in ["base"] + (try History.commits(of: "shop.git", in: workspace)) {
      costs = ScaleCosts(count: machines.count)
      let commit = revision == "base" ? try workspace.revision("base", in: "shop.git") : revision
      try workspace.git("update-ref", "refs/heads/main", commit, in: "shop.git")
      costs.sealing = try time { try push() }
      costs.deposits = time { drain() }
      costs.applying = try time { try turnAll(reaching: commit) }
      costs.receipts = time { drain() }
    }
    clock.advance(seconds: 120)
    var daemon = SignerDaemon(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: Self.silent,
      now: { [clock] in clock.now })
    costs.heartbeats = try time {
      _ = try daemon.step()
      drain()
    }
    costs.answering = try time { try turnAll() }
    costs.reports = time { drain() }
    // To three pushes and a heartbeat.
    let (found, expected) = (answerCount.withLock { $0 }, 4 * machines.count)
    guard found == expected else {
      throw ProgramFailure(description: "\(found) answers have come of \(expected)")
    }
    return costs
  }

  /// Of the processor: the machines have disks and processors of their own, which here are one.
  private func time(_ body: () throws -> Void) rethrows -> Double {
    let begin = Self.processorTime
    try body()
    return Self.processorTime - begin
  }

  private static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  // MARK: - The signer

  private func signerTraffic() -> InProcessTraffic {
    let (settings, outbox, clock) = (settings, outbox, clock)
    nonisolated(unsafe) unowned let fleet = self
    var port = CarrierPort(
      mailbox: settings.identity.public.mailbox,
      correspondents: Set(machines.map(\.identity.mailbox)), store: outbox.store,
      byteCountMax: 2 * UInt64(Limits.chunkByteCountMax), log: Self.silent, now: { clock.now })
    let reader = ReceiptReader(settings, outbox: outbox)
    port.accept = { messages in
      let answers = try messages.map {
        try reader.read(ChunkList($0.inlineChunks), named: $0.offer.id)
      }
      _ = try reader.record(answers, at: clock.now)
      fleet.answerCount.withLock { $0 += answers.count }
    }
    port.delivered = { try outbox.markStored($0, at: clock.now) }
    return InProcessEnd(of: broker).traffic(port)
  }

  private func push() throws {
    let clock = clock
    let delivery = Delivery(
      settings, outbox: outbox, progress: SendProgress { _, _, _ in }, log: Self.silent,
      now: { clock.now })
    let intake = PushIntake(
      settings, outbox: outbox, courier: .daemon(delivery), now: { clock.now },
      progress: SendProgress { _, _, _ in }, report: { _ in })
    let result = try intake.handle(
      PushRequest(
        repository: Pair.remote, isNamed: true,
        subject: .branch(ref: "main", from: .whereRecipientsAre, to: nil), patience: .zero))
    guard result.failureCount == 0 else { throw ProgramFailure(description: "nothing was sent") }
  }

  /// Everything that waits on either side of the broker for the signer.
  private func drain() { while traffic?.step() ?? false {} }

  // MARK: - The machines

  private func turnAll(reaching commit: String? = nil) throws {
    for machine in machines { try turn(machine, reaching: commit) }
  }

  /// What its daemon does between two sleeps.
  private func turn(_ machine: Machine, reaching commit: String?) throws {
    let (clock, own) = (clock, try machine.settings(trusting: settings.identity.public))
    let store = try MailboxStore(state: StateDatabase.applier(directory: own.state))
    let port = CarrierPort(
      mailbox: machine.identity.mailbox,
      correspondents: [settings.identity.public.mailbox], store: store,
      byteCountMax: 1 << 30, log: Self.silent, now: { clock.now })
    let traffic = InProcessEnd(of: broker).traffic(port)
    while traffic.step() {}
    let worker = Worker(
      own, store: store, log: Self.silent, now: { clock.now }, onAnswer: {})
    while case .progress = try worker.handleNext() {}
    while traffic.step() {}
    try store.state.queue.close()
    guard let commit else { return }
    let reference = machine.checkout.path + "/.git/refs/heads/main"
    let found = try String(contentsOfFile: reference, encoding: .utf8)
    guard found == commit + "\n" else {
      throw ProgramFailure(description: "\(machine.name) is at \(found)")
    }
  }
}

/// Real time, and what was added to it.
private final class ScaleClock: Sendable {
  private let offset = Mutex<UInt64>(0)

  var now: Timestamp {
    Timestamp(
      milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000) + offset.withLock { $0 })
  }

  func advance(seconds: UInt64) { offset.withLock { $0 += seconds * 1_000 } }
}
