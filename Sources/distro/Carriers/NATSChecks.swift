import Diagnostics
import MessageFormat
import NATS
import NATSCarrier
import Sodium

/// A cluster: whether each of its servers is there and lets us in, has our stream and those of our readers, and takes what
/// we publish.
struct NATSChecks {
  private static let timeout: Duration = .seconds(5)
  /// A broker message and its headers.
  private static let payloadByteCountMin = Limits.brokerMessageByteCountMax + 512

  let plan: NATSPlan
  let identity: Identity
  /// Whose mailboxes we put something into by way of it.
  let readers: [PublicIdentity]

  private var mailbox: Mailbox { identity.public.mailbox }
  private var stream: String { NATSNames.stream(of: mailbox) }

  func run(_ examination: inout Examination) {
    let lines = reach(&examination)
    guard let line = lines.first else { return }
    do {
      try checkStream(line, &examination)
      for reader in readers { try check(reader, line, &examination) }
      try checkPublishing(line, &examination)
    } catch {
      fail(plan.place, error, &examination)
    }
    for line in lines { line.close(inOrder: true) }
  }

  /// Every server: a cluster is of use while those that are left let us in.
  private func reach(_ examination: inout Examination) -> [NATSConnection] {
    var lines: [NATSConnection] = []
    for address in plan.addresses {
      do {
        let line = try NATSBroker(plan).login(to: address, as: mailbox)
        lines.append(line)
        examination.ok(.carrier, "\(address)", "is there, and lets us in")
        checkPayload(line, "\(address)", &examination)
      } catch {
        fail("\(address)", error, &examination)
      }
    }
    return lines
  }

  private func fail(_ subject: String, _ error: any Error, _ examination: inout Examination) {
    switch error {
    case let error as NATSError:
      examination.fail(.carrier, subject, error.description, do: advice(on: error))
    case let error as any OperatorError:
      examination.fail(.carrier, subject, "\(error)", do: error.hint)
    default: examination.fail(.carrier, subject, error)
    }
  }

  private func advice(on error: NATSError) -> String? {
    switch error {
    case .denied: permissions
    case .login: "\(error.hint ?? ""); in the server's configuration: \(permissions)"
    default: error.hint
    }
  }

  /// The least that suffices, as a server's configuration says it.
  private var permissions: String {
    let least = NATSPermissions(for: mailbox)
    return """
      authorization { users = [ { user: \(identity.public.name), password: "…", permissions: { \
      publish: \(least.publish), subscribe: \(least.subscribe) } } ] }
      """
  }

  private var making: String {
    """
    nats stream add \(stream) --subjects '\(NATSNames.subjects(of: mailbox))' --storage file \
    --replicas \(plan.replicas) --retention work --discard new --max-msgs-per-subject 1 \
    --dupe-window 2m --defaults
    """
  }

  private func checkPayload(
    _ line: NATSConnection, _ subject: String, _ examination: inout Examination
  ) {
    guard line.payloadByteCountMax < Self.payloadByteCountMin else { return }
    examination.fail(
      .limits, subject,
      "takes \(line.payloadByteCountMax) bytes at once, and a chunk needs \(Self.payloadByteCountMin)",
      do: "in the server's configuration: max_payload: 1MB")
  }

  private func checkStream(
    _ line: NATSConnection, _ examination: inout Examination
  ) throws(NATSError) {
    let subject = "\(stream) at \(plan.place)"
    guard let state = try line.stream(stream) else {
      return examination.warn(
        .carrier, subject, "is not there: our daemon makes it when it connects",
        do: """
          start the daemon; where its user may not (publish to \(NATSPermissions.making(mailbox))): \(making)
          """)
    }
    let faults = faults(of: state)
    guard faults.isEmpty else {
      return examination.warn(
        .carrier, subject, "is another stream than distro makes: \(faults.joined(separator: ", "))",
        do: "nats stream edit \(stream), or remove it when it is empty, and: \(making)")
    }
    let consumer = try line.consumer(NATSNames.consumer, of: stream)
    examination.ok(
      .carrier, subject,
      """
      is a work queue in files, on \(state.replicas) servers; \(state.messageCount) messages wait; \
      \(consumer == nil ? "no consumer yet" : "its consumer is there")
      """)
  }

  private func faults(of state: NATSStreamState) -> [String] {
    var faults: [String] = []
    if !state.isOnDisk { faults.append("in memory: a restart loses what waits") }
    if !state.isWorkQueue { faults.append("no work queue: what is acknowledged stays") }
    if !state.refusesNew { faults.append("drops old messages at a limit") }
    if state.subjectCountMax != 1 {
      faults.append("max-msgs-per-subject is not 1: heartbeats pile up")
    }
    if state.replicas != plan.replicas {
      faults.append("\(state.replicas) replicas, and 'replicas:' says \(plan.replicas)")
    }
    if !state.isWhole { faults.append("a replica is off or behind") }
    return faults
  }

  private func check(
    _ reader: PublicIdentity, _ line: NATSConnection, _ examination: inout Examination
  ) throws(NATSError) {
    let subject = "\(reader.name) by way of \(plan.place)"
    guard try !line.isKept(NATSNames.subjects(of: reader.mailbox)) else {
      return examination.ok(.trust, subject, "its stream is there")
    }
    examination.fail(
      .trust, subject,
      "unknown-mailbox: there is no stream \(NATSNames.stream(of: reader.mailbox))",
      do: "start the daemon of \(reader.name): it makes its stream")
  }

  private func checkPublishing(
    _ line: NATSConnection, _ examination: inout Examination
  ) throws(NATSError) {
    // No mailbox has that name: what is published to it comes back.
    try line.publish(
      [], to: NATSNames.nobodysSubject(from: mailbox), of: stream, named: "doctor", as: 1,
      patience: Self.timeout)
    let end = ContinuousClock.now + Self.timeout
    while let event = line.next(until: end) {
      switch event {
      case .rejected(_, .noStream, _), .confirmed:
        return examination.ok(.trust, plan.place, "takes what we publish")
      case .violation(let text):
        return examination.fail(
          .trust, plan.place, "does not take what we publish: \(text)", do: permissions)
      default: continue
      }
    }
    examination.fail(
      .carrier, plan.place, "connected, but silent for \(Self.timeout)",
      do: "read the server's log")
  }
}
