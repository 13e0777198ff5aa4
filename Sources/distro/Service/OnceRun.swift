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

  let configuration: ApplierConfiguration
  let store: MailboxStore
  let log: Logger

  private var settings: ApplierSettings { configuration.settings }

  /// What the carrier's thread says.
  private final class Line: Sendable {
    private struct State {
      var isEmpty = false
      var isRefused = false
      var failure: CarrierError?
    }

    let bell = Bell()
    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.isEmpty || $0.failure != nil } }

    /// No answer of ours will be taken any more.
    var isHopeless: Bool { state.withLock { $0.isRefused || $0.failure != nil } }

    var failure: CarrierError? { state.withLock { $0.failure } }

    func prepare(_ port: inout CarrierPort) {
      let delivered = port.delivered
      port.delivered = { [self] in
        try delivered($0)
        bell.ring()
      }
      port.emptied = { [self] in note { $0.isEmpty = true } }
      port.refused = { [self] _ in note { $0.isRefused = true } }
      port.stateChanged = { [self] state in
        if case .failed(let error) = state { note { $0.failure = error } }
      }
    }

    private func note(_ change: @Sendable (inout State) -> Void) {
      state.withLock { change(&$0) }
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
    let line = Line()
    let intake = try configuration.carrier.isListening ? nil : intake(line)
    defer { intake?.stop() }
    let worker = Worker(
      settings, store: store, log: log, now: WallClock.now, onAnswer: {}, onOutcome: onOutcome)
    var isSilent = false
    while true {
      let isOver = intake == nil || line.isOver
      while case .progress = try worker.handleNext() {}
      if isOver { break }
      isSilent = !line.bell.wait(for: Self.patience)
      if isSilent { break }
    }
    if let intake, !isSilent { isSilent = try !answer(over: intake, line) }
    if let fault = worker.fault { throw fault }
    if let failure = line.failure { throw failure }
    if isSilent, !configuration.carrier.isListening {
      throw CarrierError.noAnswer(endpoint: configuration.carrier.place, within: Self.patience)
    }
  }

  private func intake(_ line: Line) throws -> Intake {
    var timeouts = ExchangeTimeouts()
    timeouts.mail = Self.quiet
    return try Intake(
      configuration.carrier, for: settings, into: store, timeouts: timeouts, log: log,
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
