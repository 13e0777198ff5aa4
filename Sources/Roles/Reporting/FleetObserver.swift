import Git
import GitModel
import MessageFormat
import Signer

/// Looks at the fleet, and notes what is to be told of it and of the servers that it needs.
struct FleetObserver: Sendable {
  /// A thousand receipts are one look.
  private static let pause: Duration = .seconds(1)
  /// What time alone changes: machines that fall silent.
  private static let look: Duration = .seconds(15)

  let settings: ReportingSettings
  let repositories: [SignerRepository]
  let outbox: Outbox
  let state: ReportingState
  let servers: ServerWatch
  let now: @Sendable () -> Timestamp
  let wakeHosts: @Sendable () -> Void
  let wakeRoutes: @Sendable () -> Void

  /// What one run remembers of times; a clock that is set changes none of it.
  private struct Memory {
    /// Since when a machine has been away from this revision.
    var away: [MachineKey: (head: ObjectID, since: ContinuousClock.Instant)] = [:]
    var silent: [MachineKey: ContinuousClock.Instant] = [:]
    var told: [MachineKey: FleetWatch.Told]?
  }

  func makeStep() -> () throws -> ReportingLoop.Rest {
    var memory = Memory()
    return {
      try servers.settle()
      let machines = try outbox.machineStates(
        of: repositories, staleSeconds: settings.staleSeconds)
      try show(machines)
      if !settings.notices.isEmpty { try watch(machines, &memory) }
      return ReportingLoop.Rest(
        atLeast: Self.pause, atMost: min(Self.look, .seconds(settings.staleSeconds)))
    }
  }

  // MARK: - Statuses

  private func show(_ machines: [MachineState]) throws {
    var hasChanged = false
    for target in settings.statuses {
      let board = StatusBoard(target: target)
      let items = board.items(of: machines)
      let keys = Set(items.map(\.key))
      var endings: [StatusItem] = []
      for row in try state.pending(of: target.remote) where !keys.contains(row.item.key) {
        let item = row.item
        let stream = StreamName(remote: target.remote, branch: item.branch)
        // A branch that is configured no more has no successor, and its machines none of ours.
        guard let head = machines.first(where: { $0.stream == stream })?.head else { continue }
        endings.append(
          board.ending(
            item.key, on: item.branch, answers: try answers(to: item.key.revision, on: stream),
            successor: head))
      }
      hasChanged = try state.show(items + endings, of: target.remote) || hasChanged
    }
    if hasChanged { wakeHosts() }
  }

  /// What the machines have said of the messages that led to a revision, by their names.
  private func answers(
    to revision: ObjectID, on stream: StreamName
  ) throws -> [String: MachineState.Progress] {
    var answers: [String: MachineState.Progress] = [:]
    for sent in try outbox.answers(leadingTo: revision, on: stream) {
      let progress: MachineState.Progress =
        switch sent.state {
        case .applied: .applied
        case .refused: .refused(name: sent.refusal ?? "refused")
        case .waiting, .stored, .behind, .superseded: .pending("")
        }
      // The last message counts, but what was applied once was applied.
      if answers[sent.recipientName] != .applied { answers[sent.recipientName] = progress }
    }
    return answers
  }

  // MARK: - Notices

  private func watch(_ machines: [MachineState], _ memory: inout Memory) throws {
    let known = try memory.told ?? state.told()
    // The first look of all tells of problems, and not of what has been well for long.
    let isFirst = known.isEmpty && memory.told == nil
    let watch = FleetWatch(
      staleSeconds: settings.staleSeconds, now: now(), history: history())
    var told = known
    var events: [NoticeEvent] = []
    for machine in machines {
      let key = MachineKey(machine.stream, machine.mailbox)
      var its = told[key] ?? FleetWatch.Told()
      if isFirst, machine.progress == .applied { its.applied = machine.head }
      events += watch.events(
        of: machine, age: age(of: machine, key, &memory),
        isSilent: isSilent(machine, key, &memory), told: &its)
      told[key] = its
    }
    let keys = Set(machines.map { MachineKey($0.stream, $0.mailbox) })
    let gone = told.keys.filter { !keys.contains($0) }
    for key in gone {
      told[key] = nil
      (memory.away[key], memory.silent[key]) = (nil, nil)
    }
    let changed = told.filter { known[$0.key] != $0.value }
    if !changed.isEmpty || !gone.isEmpty {
      try state.note(changed, gone: gone, events, for: settings.notices)
    }
    memory.told = told
    if !events.isEmpty { wakeRoutes() }
  }

  private func age(
    of machine: MachineState, _ key: MachineKey, _ memory: inout Memory
  ) -> Duration {
    guard machine.progress != .applied else {
      memory.away[key] = nil
      return .zero
    }
    if let known = memory.away[key], known.head == machine.head { return .now - known.since }
    memory.away[key] = (machine.head, .now)
    return .zero
  }

  /// A signer that was off for a night has heard of no machine since: each gets some time to answer first.
  private func isSilent(
    _ machine: MachineState, _ key: MachineKey, _ memory: inout Memory
  ) -> Bool {
    guard machine.isUnseen else {
      memory.silent[key] = nil
      return false
    }
    let since = memory.silent[key] ?? .now
    memory.silent[key] = since
    return .now - since >= min(.seconds(120), .seconds(settings.staleSeconds))
  }

  /// Repositories are opened when a machine has something to tell, and not before.
  private func history() -> FleetWatch.History {
    var opened: [String: Repository?] = [:]
    func repository(of stream: StreamName) -> Repository? {
      guard let path = repositories.first(where: { $0.sends(stream) })?.path else { return nil }
      if let known = opened[path] { return known }
      let found: Repository?
      do throws(GitError) { found = try Repository(opening: path) } catch { found = nil }
      opened[path] = .some(found)
      return found
    }
    return FleetWatch.History { from, to, stream in
      do throws(GitError) {
        return try repository(of: stream)?.isAncestor(to, of: from) ?? false
      } catch {
        return false
      }
    } subject: { revision, stream in
      do throws(GitError) {
        return try repository(of: stream)?.objects.commit(revision).subject
      } catch {
        return nil
      }
    }
  }
}
