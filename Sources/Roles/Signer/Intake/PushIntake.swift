import Diagnostics
import Foundation
import Git
import Mailboxes
package import MessageFormat
import Upstreams

/// The one way in for everything on this machine that asks for sending: handles a request, tells how far it is, and ends
/// with the last word on each recipient.
///
/// Belongs to one thread; any number may work on one outbox.
package final class PushIntake {
  /// The carriers that move what is put into the outbox.
  package enum Courier {
    /// This run alone: connects when there is something to move, and heals while it waits.
    case own(Delivery)
    /// A daemon that heals as well.
    case daemon(Delivery)
  }

  private let settings: SignerSettings
  private let outbox: Outbox
  private let courier: Courier
  private let turns: StreamTurns
  private let mirrors: Mirrors
  private let isAwaited: () -> Bool
  private let report: (IntakeReport) -> Void
  private let progress: SendProgress
  private let sending: Sending
  private let healing: Healing
  private var goals: [Arrivals.Goal] = []
  private var failureCount = 0
  /// Refs of pushes that are not sent, of which the first are named.
  private var unsentRefCount = 0
  private static let namedRefCountMax = 20
  /// Submodules of which was not said before that they arrive without their files.
  private(set) var newSubmodules: [SubmoduleNotice] = []
  /// Of a hint, refs that are not configured.
  private(set) var ignoredRefs: [String] = []

  /// `turns`, `mirrors`: shared by all that send from this process. `isAwaited`: whether anything is still to be told; the sending
  /// goes on without.
  package init(
    _ settings: SignerSettings, outbox: Outbox, courier: Courier,
    turns: StreamTurns = StreamTurns(), mirrors: Mirrors = Mirrors(),
    now: @escaping () -> Timestamp, progress: SendProgress,
    isAwaited: @escaping () -> Bool = { true },
    report: @escaping (IntakeReport) -> Void
  ) {
    (self.settings, self.outbox, self.courier) = (settings, outbox, courier)
    (self.turns, self.mirrors, self.isAwaited) = (turns, mirrors, isAwaited)
    (self.report, self.progress) = (report, progress)
    sending = Sending(
      settings, outbox: outbox, mirrors: mirrors, progress: progress, now: now)
    healing = Healing(sending)
  }

  /// Throws where nothing can be done at all.
  package func handle(_ request: PushRequest) throws -> IntakeResult {
    let begin = ContinuousClock.now
    for fault in settings.recipientFaults { fail(fault) }
    switch request.subject {
    case .pushes(let lines):
      let entries = try entries(request)
      try requireQuorum(request, entries)
      try refresh(entries)
      for line in lines.lines { try send(line, entries) }
      let unnamedCount = unsentRefCount + lines.unnamedCount - Self.namedRefCountMax
      if unnamedCount > 0 { report(.notice("\(unnamedCount) more refs; nothing was sent")) }
    case .branch(let ref, let start, let to):
      let entries = try entries(request)
      try requireQuorum(request, entries)
      let branches = try entries.branches(ref)
      try refresh(entries)
      for (branch, entry) in branches {
        do {
          let outcome = try turns.take(on: entry.stream(branch)) {
            try sending.send(
              branch, of: entry, from: start, to: to, requiresOnBranch: request.isHint)
          }
          // Somebody has said where it is to lead to; that is no move, but also no reason to look for one.
          try sending.markSeen(branch, of: entry)
          try add(outcome, entry)
        } catch let error as SignerError where error.isOvertaken {
          report(.notice(error.description))
        }
      }
    case .outbox: try addOpen()
    case .moved(let refs): try sendMoved(refs, try entries(request))
    }
    let faults = try deliver(request, since: begin)
    let arrivals = try Arrivals(outbox, settings, goals, quorum: request.quorum)
    for arrival in arrivals.arrivals { report(.arrival(arrival)) }
    for fault in faults {
      report(.failure(message: "\(fault.endpoint): \(fault.description)", hint: fault.hint))
    }
    return IntakeResult(
      verdict: arrivals.verdict, failureCount: failureCount,
      hasUnstored: !faults.isEmpty
        && arrivals.arrivals.contains { $0.message?.state == .waiting && $0.state == .underway })
  }

  // MARK: - What is sent

  private func entries(_ request: PushRequest) throws(SignerError) -> RepositoryEntries {
    try RepositoryEntries(of: settings, at: request.repository, isNamed: request.isNamed)
  }

  private func requireQuorum(
    _ request: PushRequest, _ entries: RepositoryEntries
  ) throws(SignerError) {
    guard let quorum = request.quorum else { return }
    for entry in entries.all where quorum > entry.recipients.count {
      throw .quorum(quorum, recipientCount: entry.recipients.count)
    }
  }

  /// An upstream is asked first, since it may have moved on.
  private func refresh(_ entries: RepositoryEntries) throws(UpstreamError) {
    for source in entries.sources(in: settings) { try mirrors.refresh(source) }
  }

  /// A hint: the refs say whether there is a reason to look, and no more. What could be fetched is sent before it is said
  /// what could not.
  private func sendMoved(_ refs: [String], _ entries: RepositoryEntries) throws {
    ignoredRefs = refs.filter { ref in
      BranchName(fullName: ref).map { entries.of($0).isEmpty } ?? true
    }
    for ref in ignoredRefs {
      unsentRefCount += 1
      guard unsentRefCount <= Self.namedRefCountMax else { continue }
      report(.notice("\(ref): not among the configured branches; nothing was sent"))
    }
    guard refs.isEmpty || ignoredRefs.count < refs.count else { return }
    var fault: (any Error)?
    for source in entries.sources(in: settings) {
      do {
        try mirrors.refresh(source)
      } catch {
        fault = error
      }
      guard source.first?.source.isReadable == true else { continue }
      for move in try MovedBranches(sending: sending, turns: turns).send(source) {
        switch move.outcome {
        case .success(let outcome): try add(outcome, move.entry)
        case .failure(let error as SignerError) where error.isOvertaken: break
        case .failure(let error): fail(error)
        }
      }
    }
    if let fault { throw fault }
  }

  private func send(_ line: String, _ entries: RepositoryEntries) throws {
    guard let push = Push(hookLine: line) else {
      return fail("not a post-receive line: \(line.prefix(200))", hint: Push.lineHint)
    }
    guard push.isOfBranch else {
      return leave(push, "only branches are handled yet")
    }
    guard !push.after.isZero else {
      return leave(push, "deleted branches are not handled yet")
    }
    let found = BranchName(fullName: push.ref).map { entries.of($0) } ?? []
    if found.isEmpty { leave(push, "not among the configured branches") }
    for (branch, entry) in found {
      do {
        let outcome = try turns.take(on: entry.stream(branch)) {
          try sending.send(push, on: branch, of: entry)
        }
        try add(outcome, entry)
      } catch let error as SignerError where error.isOvertaken {
        report(.notice(error.description))
      } catch {
        fail(error)
      }
    }
  }

  private func leave(_ push: Push, _ reason: String) {
    unsentRefCount += 1
    guard unsentRefCount <= Self.namedRefCountMax else { return }
    report(.notice("\(push.ref): \(reason); nothing was sent"))
  }

  /// With what is on its way to the same revision already: a run that is repeated goes on where the last one ended.
  private func add(_ outcome: SendOutcome, _ entry: SignerRepository) throws {
    let target = "\(outcome.stream.branch) \(outcome.target.revision.abbreviated)"
    switch outcome.finding {
    case .sent: break
    case .underway: report(.notice("\(target): on its way already; nothing new was sent"))
    case .upToDate: report(.notice("\(target): all recipients are up to date; nothing was sent"))
    case .noChange: report(.notice("\(target): changes no file; nothing was sent"))
    }
    let submodules = try sending.newSubmodules(of: outcome)
    newSubmodules += submodules
    for submodule in submodules.prefix(SubmoduleNotice.namedCountMax) {
      report(.notice(submodule.description))
    }
    try add(
      outcome.stream, outcome.target, replaces: outcome.replaces,
      recipients: Set(entry.recipients.map(\.mailbox)))
  }

  private func add(
    _ stream: StreamName, _ target: Snapshot, replaces: Bool = false, recipients: Set<Mailbox>
  ) throws {
    guard let head = try outbox.head(of: stream) else { return }
    goals.append(
      Arrivals.Goal(
        stream: stream, target: target, sequence: head.sequence, replaces: replaces,
        recipients: recipients))
  }

  /// Everything that is not answered yet, and what recipients have asked for.
  private func addOpen() throws {
    try heal(on: nil)
    let open = Dictionary(
      grouping: try outbox.recipients().filter { $0.expected != nil }, by: \.stream)
    for (stream, recipients) in open {
      guard let first = recipients.first else { continue }
      try add(
        stream, Snapshot(revision: first.head, tree: first.headTree),
        recipients: Set(recipients.map(\.mailbox)))
    }
    if open.isEmpty { report(.notice("the outbox is empty")) }
  }

  private func fail(_ error: any Error) {
    let error = MailboxError(ofDatabase: error) ?? error
    guard let error = error as? any OperatorError else { return fail("\(error)", hint: nil) }
    fail(error.message, hint: error.hint)
  }

  private func fail(_ message: String, hint: String?) {
    failureCount += 1
    report(.failure(message: message, hint: hint))
  }

  // MARK: - What becomes of it

  /// Also sends, while there is time, what a recipient turns out to have missed; a daemon does that by itself.
  private func deliver(
    _ request: PushRequest, since begin: ContinuousClock.Instant
  ) throws -> [Delivery.Fault] {
    if case .daemon(let delivery) = courier { delivery.outboxChanged() }
    guard request.patience > .zero else { return [] }
    let streams = Set(goals.map(\.stream))
    func awaited() throws -> Set<Delivery.Awaited> {
      guard isAwaited() else { return [] }
      let arrivals = try Arrivals(outbox, settings, goals, quorum: request.quorum)
      // One that refuses takes nothing from the last word on the others.
      guard arrivals.verdict != .applied else { return [] }
      return Set(
        arrivals.arrivals.filter { $0.state == .underway }.compactMap(\.message)
          .map(Delivery.Awaited.init))
    }
    switch courier {
    case .daemon(let delivery):
      return try delivery.wait(
        patience: request.patience, since: begin, progress: progress, awaited: awaited)
    case .own(let delivery):
      let first = try awaited()
      guard !first.isEmpty else { return [] }
      try delivery.start(for: Set(first.map(\.recipient)))
      defer { delivery.stop() }
      return try delivery.wait(patience: request.patience, since: begin) {
        try heal(on: streams)
        return try awaited()
      }
    }
  }

  private func heal(on streams: Set<StreamName>?) throws {
    for failure in try healing.run(on: streams).failures {
      let error = failure.error as? any OperatorError
      report(
        .failure(
          message: "\(failure.recipient) is behind: \(error?.message ?? "\(failure.error)")",
          hint: error?.hint))
    }
  }
}

extension Push {
  fileprivate static let lineHint =
    "git writes 'old new ref', two ids of 40 digits and a full name"
}
