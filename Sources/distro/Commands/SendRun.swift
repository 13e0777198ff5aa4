import ArgumentParser
import Foundation
import Logging
import MessageFormat
import Signer

/// One run of `sign-and-send`: what it put into the outbox, and what became of it.
final class SendRun {
  private let settings: SignerSettings
  private let outbox: Outbox
  private let sending: Sending
  private let delivery: Delivery
  private let healing: Healing
  private let quorum: Int?
  private var messages: [MessageID] = []
  private var streams: Set<StreamName>? = []

  /// `quorum`: so many recipients of each stream are enough; `nil`: all.
  init(settings: SignerSettings, outbox: Outbox, bar: ProgressBar, quorum: Int?) {
    self.quorum = quorum
    self.settings = settings
    self.outbox = outbox
    let progress = SendProgress { step, done, total in
      bar.update(step.rawValue, done: done, of: total)
    }
    sending = Sending(settings, outbox: outbox, progress: progress, now: Clock.now)
    healing = Healing(sending)
    delivery = Delivery(
      settings, outbox: outbox, progress: progress,
      log: Logger(label: "distro.sign-and-send") { _ in SwiftLogNoOpLogHandler() },
      now: Clock.now)
  }

  /// Everything that is not answered yet, and what machines have asked for.
  func addOpenMessages() throws -> Int {
    streams = nil
    try heal()
    for message in try outbox.unstored() + outbox.unanswered() where !messages.contains(message.id)
    {
      messages.append(message.id)
    }
    if messages.isEmpty { Terminal.printError("the outbox is empty") }
    return 0
  }

  /// `repositories`: the entries of the configuration for one repository.
  func send(
    ref: String, in repositories: [SignerRepository], from start: Sending.Start, to: String?
  ) throws -> Int {
    let entries = BranchName(ref).map { branch in
      repositories.filter { $0.branches.contains(branch) }.map { (branch, $0) }
    }
    guard let entries, !entries.isEmpty else {
      throw SignerError.notConfigured(ref: ref, repository: repositories[0].path)
    }
    for (branch, repository) in entries {
      let sent = try sending.send(branch, of: repository, from: start, to: to)
      try add(sent, repository.stream(branch))
    }
    return 0
  }

  /// Answers how many of the pushes could not be sent; each is reported, and the others go on.
  func sendPushes(from lines: [String], in repositories: [SignerRepository]) throws -> Int {
    var failures = 0
    for line in lines {
      guard let push = Push(hookLine: line) else {
        failures += 1
        ErrorReport(
          "not a post-receive line: \(Terminal.harmless(String(line.prefix(200))))",
          hint: "git writes 'old new ref', two ids of 40 digits and a full name"
        ).print()
        continue
      }
      for (branch, repository) in entries(for: push, in: repositories) {
        do {
          try add(
            try sending.send(push, on: branch, of: repository), repository.stream(branch))
        } catch let error as SignerError where error.isOvertaken {
          Terminal.printError(error.description)
        } catch {
          failures += 1
          ErrorReport(error).print()
        }
      }
    }
    return failures
  }

  /// None for what is not sent, which is said.
  private func entries(
    for push: Push, in repositories: [SignerRepository]
  ) -> [(BranchName, SignerRepository)] {
    guard push.ref.hasPrefix(BranchName.prefix) else {
      Terminal.printError("\(push.ref): only branches are handled yet; nothing was sent")
      return []
    }
    guard !push.after.isZero else {
      Terminal.printError("\(push.ref): deleted branches are not handled yet; nothing was sent")
      return []
    }
    let entries = BranchName(fullName: push.ref).map { branch in
      repositories.filter { $0.branches.contains(branch) }.map { (branch, $0) }
    }
    guard let entries, !entries.isEmpty else {
      Terminal.printError("\(push.ref): not among the configured branches; nothing was sent")
      return []
    }
    return entries
  }

  /// With what is on its way to the same revision already: a run that is repeated goes on where the last one ended.
  private func add(_ sent: [Sending.Sent], _ stream: StreamName) throws {
    messages += sent.map(\.id)
    streams?.insert(stream)
    guard let revision = try outbox.head(of: stream)?.revision else { return }
    let open = try outbox.open(of: stream, to: revision).map(\.id)
    for id in open where !messages.contains(id) { messages.append(id) }
    if sent.isEmpty {
      let finding = open.isEmpty ? "nobody lacks" : "on its way already is"
      Terminal.printError(
        "\(stream.branch): \(finding) \(revision.abbreviated); nothing new was sent")
    }
  }

  /// Also sends, while there is time, what a machine turns out to have missed.
  func deliver(patience: Duration) throws -> [Delivery.Fault] {
    try delivery.start(for: Set(try awaited().map(\.recipient)))
    defer { delivery.stop() }
    return try delivery.wait(patience: patience) {
      // In this order: a receipt that comes in between is seen by the one or the other.
      let left = try awaited()
      return try heal() ? try awaited() : left
    }
  }

  /// Recipients of whom an answer is still to come.
  private func awaited() throws -> Set<Delivery.Awaited> {
    if try verdict() == .applied { return [] }
    return Set(try answers().filter(\.state.isOpen).map(Delivery.Awaited.init))
  }

  /// Whether there is something more to deliver.
  @discardableResult
  private func heal() throws -> Bool {
    let result = try healing.run(on: streams)
    for failure in result.failures {
      let report = ErrorReport(failure.error)
      ErrorReport("\(failure.machine) is behind: \(report.message)", hint: report.hint).print()
    }
    messages += result.sent.map(\.id)
    return !result.sent.isEmpty
  }

  /// What the run has come to.
  func verdict() throws -> Verdict { try Verdict(outbox, settings, messages, quorum: quorum) }

  /// A row for each message and recipient.
  func answers() throws -> [SentMessage] {
    try messages.flatMap { try outbox.answers(to: $0) }
  }

  func report(_ faults: [Delivery.Fault], asJSON: Bool) throws {
    let answers = try answers()
    if asJSON {
      Terminal.print(try StatusReport.json(answers))
    } else {
      for answer in answers { Terminal.print(StatusReport.line(answer)) }
    }
    for fault in faults {
      ErrorReport(
        Terminal.harmless("\(fault.endpoint): \(fault.description)"), hint: fault.hint
      ).print()
    }
    if answers.contains(where: { $0.state == .waiting }) && !faults.isEmpty {
      Terminal.printError(
        "distro: hint: nothing is lost: the next run sends it, or: distro sign-and-send --flush")
    }
  }
}

enum Clock {
  @Sendable static func now() -> Timestamp {
    Timestamp(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)))
  }
}
