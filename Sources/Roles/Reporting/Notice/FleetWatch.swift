package import GitModel
package import MessageFormat

/// What has changed between what people were told of a machine and what is: values made of values.
package struct FleetWatch {
  /// What people were told of one machine on one stream.
  package struct Told: Equatable, Sendable {
    /// The newest revision that it was said to have applied.
    package var applied: ObjectID?
    /// The refused message that was told of.
    package var refused: MessageID?
    package var isStale: Bool
    package var isUnseen: Bool

    package init(
      applied: ObjectID? = nil, refused: MessageID? = nil, isStale: Bool = false,
      isUnseen: Bool = false
    ) {
      (self.applied, self.refused) = (applied, refused)
      (self.isStale, self.isUnseen) = (isStale, isUnseen)
    }

    var isProblem: Bool { refused != nil || isStale || isUnseen }
  }

  /// Of a revision, whether another one descends from it, and its first line.
  package struct History {
    let goesBack: (_ from: ObjectID, _ to: ObjectID, StreamName) -> Bool
    let subject: (ObjectID, StreamName) -> String?

    package init(
      goesBack: @escaping (_ from: ObjectID, _ to: ObjectID, StreamName) -> Bool,
      subject: @escaping (ObjectID, StreamName) -> String?
    ) {
      (self.goesBack, self.subject) = (goesBack, subject)
    }
  }

  let staleSeconds: UInt64
  let now: Timestamp
  let history: History

  package init(staleSeconds: UInt64, now: Timestamp, history: History) {
    (self.staleSeconds, self.now, self.history) = (staleSeconds, now, history)
  }

  /// `age`: for how long the machine has not been at its branch's newest revision, as far as this run has seen.
  /// `isSilent`: it has been unseen for as long as this run can say. `told` becomes what is told with these events.
  package func events(
    of machine: MachineState, age: Duration, isSilent: Bool, told: inout Told
  ) -> [NoticeEvent] {
    var events: [NoticeEvent] = []
    let isApplied = machine.progress == .applied
    if isApplied, told.applied != machine.head {
      // A deployment that fails leaves the revision before, and is a refusal: what was rolled back is the branch.
      let goesBack =
        told.applied.map { history.goesBack($0, machine.head, machine.stream) } ?? false
      events.append(event(goesBack ? .rolledBack : .applied, machine))
      told.applied = machine.head
    }
    if case .refused(let name) = machine.progress, let message = machine.refusedMessage {
      if told.refused != message { events.append(event(.refused, machine, name)) }
      told.refused = message
      told.isStale = false
    }
    if machine.isUnseen {
      if isSilent, !told.isUnseen {
        told.isUnseen = true
        events.append(event(.unseen, machine, "no word for \(staleSeconds) s"))
      }
    } else if told.isUnseen, !isApplied {
      // It is heard again, and its next word tells how it is.
      told.isUnseen = false
      events.append(event(.recovered, machine, "answers again"))
    } else if case .pending(let text) = machine.progress, !told.isStale, told.refused == nil,
      age >= .seconds(staleSeconds)
    {
      told.isStale = true
      events.append(event(.stale, machine, text))
    }
    if isApplied, !machine.isUnseen, told.isProblem {
      events.append(event(.recovered, machine))
      (told.refused, told.isStale, told.isUnseen) = (nil, false, false)
    }
    return events
  }

  private func event(
    _ kind: NoticeKind, _ machine: MachineState, _ reason: String? = nil
  ) -> NoticeEvent {
    NoticeEvent(
      kind, machine: machine.name, on: machine.stream, at: machine.head,
      commit: history.subject(machine.head, machine.stream), reason: reason, time: now)
  }
}
