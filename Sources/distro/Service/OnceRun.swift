import Applier
import CarrierProtocol
import Host
import Logging
import Mailboxes
import Synchronization

/// `verify-apply --once`: collects what waits at the relay, handles it, and leaves the answers there. Where signers connect
/// to this machine itself there is nothing to collect: it handles what lies in the inbox.
struct OnceRun {
  /// A relay with which nothing moves for so long is given up.
  private static let patience: Duration = .seconds(30)
  /// A relay that brings nothing for so long has nothing more.
  private static let quiet: Duration = .seconds(1)

  /// Nobody waits here for long.
  private static let failover: Duration = .seconds(1)

  let configuration: ApplierConfiguration
  let store: MailboxStore
  let log: Logger

  private var settings: ApplierSettings { configuration.settings }

  /// Those at which mail waits to be collected.
  private var plans: [any CarrierPlan] { configuration.carriers.plans.filter { !$0.isListening } }

  /// What the carrier's thread says.
  private final class Line: Sendable {
    /// Of one carrier.
    private struct Known {
      var isEmpty = false
      var isRefused = false
      var failure: CarrierError?
    }

    let bell = Bell()
    private let state: Mutex<[String: Known]>

    init(_ places: [String]) {
      state = Mutex(Dictionary(uniqueKeysWithValues: places.map { ($0, Known()) }))
    }

    private var all: [Known] { state.withLock { Array($0.values) } }

    /// Nothing more comes from any of them.
    var isOver: Bool { all.allSatisfy { $0.isEmpty || $0.failure != nil } }

    /// No answer of ours will be taken any more.
    var isHopeless: Bool { all.allSatisfy { $0.isRefused || $0.failure != nil } }

    /// Of one, where none of them works.
    var failure: CarrierError? {
      let all = all
      return all.allSatisfy { $0.failure != nil } ? all.first?.failure : nil
    }

    func prepare(_ port: inout CarrierPort, at place: String) {
      let delivered = port.delivered
      port.delivered = { [self] in
        try delivered($0)
        bell.ring()
      }
      port.emptied = { [self] in note(place) { $0.isEmpty = true } }
      port.refused = { [self] _ in note(place) { $0.isRefused = true } }
      port.stateChanged = { [self] state in
        if case .failed(let error) = state { note(place) { $0.failure = error } }
      }
    }

    private func note(_ place: String, _ change: @Sendable (inout Known) -> Void) {
      state.withLock { change(&$0[place, default: Known()]) }
      bell.ring()
    }
  }

  /// Throws what kept it from a checkout, or from the relay, after everything else is done.
  func run(onOutcome: @escaping (Answered) -> Void) throws {
    let claim = try store.state.claim()
    try handle(onOutcome)
    _ = consume claim
  }

  private func handle(_ onOutcome: @escaping (Answered) -> Void) throws {
    let line = Line(plans.map(\.place))
    let intake = try plans.isEmpty ? nil : intake(line)
    defer { intake?.stop() }
    let worker = Worker(
      settings, store: store, log: log, now: WallClock.now, onAnswer: {}, onOutcome: onOutcome)
    var isSilent = false
    while true {
      let isOver = intake == nil || line.isOver
      repeat {
        while case .progress = try worker.handleNext() {}
      } while worker.waitForCommand()
      if isOver { break }
      isSilent = !line.bell.wait(for: Self.patience)
      if isSilent { break }
    }
    if let intake, !isSilent { isSilent = try !answer(over: intake, line) }
    if let fault = worker.fault { throw fault }
    if intake != nil, let failure = line.failure { throw failure }
    if isSilent, let plan = plans.first {
      throw CarrierError.noAnswer(endpoint: plan.place, within: Self.patience)
    }
  }

  private func intake(_ line: Line) throws -> Intake {
    var timeouts = ExchangeTimeouts()
    timeouts.mail = Self.quiet
    return try Intake(
      plans, failover: Self.failover, for: settings, into: store, timeouts: timeouts, log: log,
      onMessage: line.bell.ring, prepare: line.prepare)
  }

  /// Whether the relay has them all, or says why it has not.
  private func answer(over intake: Intake, _ line: Line) throws -> Bool {
    let signers = Set(settings.trustedSigners.map(\.mailbox))
    intake.receiptsChanged()
    while !line.isHopeless, try !store.outgoing(for: signers, countMax: 1).isEmpty {
      guard line.bell.wait(for: Self.patience) else { return false }
    }
    return true
  }
}
