import ActiveMQCarrier
import Diagnostics
import MessageFormat
import STOMP
import Sodium

/// A broker: whether it is there, lets us in, gives us our queue, and takes messages of the greatest size for our readers.
struct ActiveMQChecks {
  let plan: ActiveMQPlan
  let identity: Identity
  /// Whose mailboxes we put something into by way of it.
  let readers: [PublicIdentity]

  func run(_ examination: inout Examination) {
    do {
      let probe = try ActiveMQProbe(plan)
      examination.ok(.carrier, plan.place, "is there, and lets us in: \(probe.server)")
      defer { probe.close() }
      try checkQueue(probe, &examination)
    } catch let error as STOMPError {
      examination.fail(.carrier, plan.place, error.description, do: advice(on: error))
      return
    } catch let error as any OperatorError {
      examination.fail(.carrier, plan.place, "\(error)", do: error.hint)
      return
    } catch {
      examination.fail(.carrier, plan.place, error)
      return
    }
    for reader in readers { check(reader, &examination) }
  }

  private var user: String { plan.user?.name ?? "distro" }

  /// The least that suffices, where each user has a group of his name, and `distro` is a group of all of them.
  private var rights: String {
    """
    <authorizationEntry queue="\(identity.public.mailbox.queueName)" read="\(user)" \
    write="distro" admin="\(user)"/>
    """
  }

  private var users: String {
    """
    <authenticationUser username="\(user)" password="…" groups="\(user),distro"/>
    """
  }

  private func advice(on error: STOMPError) -> String? {
    guard case .login(let reason) = error else { return error.hint }
    guard !reason.contains("ActiveMQ.Advisory") else {
      return """
        in the broker's file: <authorizationEntry topic="ActiveMQ.Advisory.>" read="distro" \
        write="distro" admin="distro"/>, or advisorySupport="false"
        """
    }
    return plan.user == nil
      ? "add 'user:' and 'password-file:' here, and in the broker's file: \(users)"
      : "in the broker's file: \(users); then put the password into 'password-file:'"
  }

  private func checkQueue(
    _ probe: ActiveMQProbe, _ examination: inout Examination
  ) throws(STOMPError) {
    let subject = "\(identity.public.mailbox.queueName) at \(plan.place)"
    switch try probe.look(into: identity.public.mailbox) {
    case .empty: examination.ok(.carrier, subject, "is our queue; nothing waits")
    case .somethingWaits: examination.ok(.carrier, subject, "is our queue; messages wait")
    case .unknown:
      examination.ok(.carrier, subject, "is our queue; this broker cannot say by STOMP what waits")
    case .refused(let refusal):
      examination.fail(
        .carrier, subject, "we may not read our queue: \(refusal.detail)",
        do: "in the broker's file: \(rights)")
    }
  }

  /// Over a connection of its own: some brokers end one after an error.
  private func check(_ reader: PublicIdentity, _ examination: inout Examination) {
    let subject = "\(reader.name) by way of \(plan.place)"
    do {
      let probe = try ActiveMQProbe(plan)
      defer { probe.close() }
      guard let refusal = try probe.tryPublishing(into: reader.mailbox) else {
        return examination.ok(.trust, subject, "its queue takes what we publish")
      }
      examination.fail(
        .trust, subject, "\(refusal.reason.rawValue): \(refusal.detail)",
        do: advice(on: refusal, reader))
    } catch let error as STOMPError where error.isOfSize {
      examination.fail(
        .trust, subject, error.description,
        do: "in the broker's file, in the 'uri' of the connector: wireFormat.maxDataLength=262144")
    } catch {
      examination.fail(.trust, subject, error)
    }
  }

  private func advice(on refusal: PublicationRefusal, _ reader: PublicIdentity) -> String {
    switch refusal.reason {
    case .unknownMailbox: "start the daemon of \(reader.name): it makes its queue"
    case .overQuota: "make room: the limits are in <systemUsage> of the broker's file"
    default:
      """
      in the broker's file: <authorizationEntry queue="\(reader.mailbox.queueName)" \
      read="\(reader.name)" write="distro" admin="\(reader.name)"/>, with \(user) in the group distro
      """
    }
  }
}

extension STOMPError {
  /// What ActiveMQ says to a frame that is over its `maxDataLength` or `maxFrameSize`.
  fileprivate var isOfSize: Bool {
    guard case .rejected(let reason) = self else { return false }
    return reason.contains("maximum data length") || reason.contains("maximum frame size")
  }
}
