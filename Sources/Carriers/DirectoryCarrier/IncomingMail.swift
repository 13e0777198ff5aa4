import CarrierProtocol
import Host
import Mailboxes
import MessageFormat
import SharedFiles

/// What waits in the directory for us comes into our store, and is acknowledged when it is durable there. Belongs to one thread.
final class IncomingMail {
  /// So many are made durable before an acknowledgement is written.
  private static let batchCountMax = 64
  /// So many that do not fit are tried in one look.
  private static let leftCountMax = 16
  /// A folder whose stamp is as before is listed all the same when it changed lately: file systems count in seconds.
  private static let settlingTime: Duration = .seconds(4)
  private static let longestTrust: Duration = .seconds(60)
  private static let leftPause: Duration = .seconds(2)
  /// Of a copy that is under way, and of what stays damaged.
  private static let damagedPauses = (first: Duration.seconds(2), next: Duration.seconds(30))
  private static let damagedCountMax = 4_096

  private enum Fate { case taken, known, left, damaged }

  private struct Damage {
    let retry: ContinuousClock.Instant
    let isTold: Bool
  }

  private struct Depositor {
    var acknowledgements = Acknowledgements()
    /// Some of them are not on the directory yet.
    var isUnwritten = false
    var stamp: [Int] = []
    var (changed, listed) = (ContinuousClock.Instant.now, ContinuousClock.Instant.now)
    /// Something was not taken, and is tried again.
    var retry: ContinuousClock.Instant?
    /// Some messages stay there because we have no room for them.
    var hasLeft = false

    /// Whether its folder may have something new.
    mutating func isDue(_ folder: Folder, at now: ContinuousClock.Instant) throws -> Bool {
      let current = try folder.status().stamp
      if current != stamp { (stamp, changed) = (current, now) }
      let isSettled = listed > changed + IncomingMail.settlingTime
      guard
        !isSettled || isUnwritten || listed + IncomingMail.longestTrust < now
          || retry.map({ $0 <= now }) ?? false
      else { return false }
      listed = now
      return true
    }
  }

  private let port: CarrierPort
  private let reports: DirectoryReports
  private let ours: String
  private let depositors: [String: Mailbox]
  private var states: [Mailbox: Depositor] = [:]
  private var damaged: [MessageID: Damage] = [:]
  /// After a fault of our disk nothing is collected for a while.
  private var resumption: ContinuousClock.Instant?
  private var backoff = Backoff(
    first: .milliseconds(250), longest: .seconds(30), jitter: Backoff.random)

  init(_ port: CarrierPort, _ reports: DirectoryReports) {
    (self.port, self.reports) = (port, reports)
    ours = DirectoryLayout.short(port.mailbox)
    depositors = Dictionary(
      port.correspondents.map { (DirectoryLayout.short($0), $0) },
      uniquingKeysWith: { first, _ in
        first
      })
  }

  /// All that is there and fits.
  func collect(
    from directory: CarriedDirectory, at now: ContinuousClock.Instant, proceed: () throws -> Void
  ) throws {
    if let time = resumption, time > now { return }
    resumption = nil
    if damaged.count > Self.damagedCountMax { damaged = [:] }
    guard let mailbox = try directory.mail.plainFolder(ours) else { return port.emptied() }
    var fault: FolderError?
    for name in try mailbox.folderNames() {
      guard let depositor = depositors[name] else { continue }
      try proceed()
      var state = states[depositor] ?? Depositor()
      defer { states[depositor] = state }
      do {
        guard let folder = try mailbox.plainFolder(name), try state.isDue(folder, at: now) else {
          continue
        }
        try collect(
          from: depositor, &state, in: folder, of: directory, at: now, proceed: proceed)
      } catch let error as FolderError {
        // Where nothing can be acknowledged, others' messages come all the same.
        fault = fault ?? error
        state.retry = now
      }
      guard resumption == nil else { return }
    }
    if let fault { throw fault }
    if !states.values.contains(where: \.hasLeft) { port.emptied() }
  }

  private func collect(
    from depositor: Mailbox, _ state: inout Depositor, in folder: Folder,
    of directory: CarriedDirectory, at now: ContinuousClock.Instant, proceed: () throws -> Void
  ) throws {
    let own = try directory.mail.plainFolder(DirectoryLayout.short(depositor))?.plainFolder(ours)
    // Those of a run before, or of another one at the same time.
    let written = try own?.acknowledgements() ?? Acknowledgements()
    state.acknowledgements.merge(written)
    (state.retry, state.hasLeft) = (nil, false)
    var batch: [Manifest] = []
    var interruption: (any Error)?
    do {
      try takeAll(
        from: depositor, &state, &batch, written, in: folder, of: directory, at: now,
        proceed: proceed)
    } catch {
      // What is durable by now is acknowledged all the same.
      interruption = error
    }
    try acknowledge(batch, from: depositor, &state, in: folder, of: directory)
    if let interruption { throw interruption }
  }

  /// `batch`: what is to be acknowledged and removed; `written`: what the directory says was acknowledged.
  private func takeAll(
    from depositor: Mailbox, _ state: inout Depositor, _ batch: inout [Manifest],
    _ written: Acknowledgements, in folder: Folder, of directory: CarriedDirectory,
    at now: ContinuousClock.Instant, proceed: () throws -> Void
  ) throws {
    var leftCount = 0
    for manifest in try folder.manifests()
    where manifest.mailbox == port.mailbox && manifest.depositor == depositor {
      try proceed()
      switch try take(manifest, state.acknowledgements, in: folder, at: now, proceed: proceed) {
      case .taken:
        state.acknowledgements.add(.init(manifest))
        state.isUnwritten = true
        batch.append(manifest)
      case .known:
        // Taken from another directory, or before this list was lost.
        if !written.contains(manifest.id) { state.isUnwritten = true }
        batch.append(manifest)
      case .damaged: state.retry = now + Self.damagedPauses.first
      case .left:
        (state.retry, state.hasLeft) = (now + Self.leftPause, true)
        leftCount += 1
      }
      if batch.count >= Self.batchCountMax {
        let full = batch
        batch = []
        try acknowledge(full, from: depositor, &state, in: folder, of: directory)
      }
      if leftCount >= Self.leftCountMax || resumption != nil { return }
    }
  }

  // MARK: - One message

  private func take(
    _ manifest: Manifest, _ acknowledgements: Acknowledgements, in folder: Folder,
    at now: ContinuousClock.Instant, proceed: () throws -> Void
  ) throws -> Fate {
    guard !acknowledgements.contains(manifest.id) else { return .known }
    if let damage = damaged[manifest.id], damage.retry > now { return .damaged }
    guard manifest.size.byteCount <= port.byteCountMax else {
      reports.tooLarge(manifest.size)
      return .taken
    }
    let offer = DepositOffer(
      id: manifest.id, mailboxes: [port.mailbox], size: manifest.size, slot: manifest.slot)
    // Nothing of it is kept for a later run: the digest is that of all its bytes, which are read at once from so near.
    let message = try MessageWriter(offer, from: port.mailbox, into: port.store)
    guard try port.hasRoom(for: message) else {
      reports.full(manifest.size)
      return .left
    }
    do {
      try read(manifest, into: message, in: folder, proceed: proceed)
    } catch let error as DirectoryError {
      return pass(over: manifest, error, at: now)
    } catch MailboxError.outOfOrder(let what) {
      return pass(
        over: manifest, DirectoryError.damaged(path: manifest.name, reason: what), at: now)
    }
    do {
      try port.accept([message])
    } catch {
      // Nothing is acknowledged before it is durable here.
      reports.notStored(error)
      resumption = now + backoff.next()
      return .left
    }
    backoff.reset()
    damaged[manifest.id] = nil
    reports.accepted()
    return .taken
  }

  private func read(
    _ manifest: Manifest, into message: MessageWriter, in folder: Folder,
    proceed: () throws -> Void
  ) throws {
    let reading = MessageReading(manifest, in: folder)
    while let chunk = try reading.next() {
      try message.append(chunk)
      try proceed()
    }
  }

  /// Told of when it is damaged for the second time: a copy that is under way is no fault.
  private func pass(
    over manifest: Manifest, _ error: any Error, at now: ContinuousClock.Instant
  ) -> Fate {
    let known = damaged[manifest.id]
    if let known, !known.isTold { reports.unreadable(manifest.id, error, isLost: false) }
    damaged[manifest.id] = Damage(
      retry: now + (known == nil ? Self.damagedPauses.first : Self.damagedPauses.next),
      isTold: known != nil)
    return .damaged
  }

  // MARK: - Acknowledging

  /// The acknowledgement travels back, then the messages go. On a full disk they make the room for it.
  private func acknowledge(
    _ manifests: [Manifest], from depositor: Mailbox, _ state: inout Depositor, in folder: Folder,
    of directory: CarriedDirectory
  ) throws {
    do {
      try writeAcknowledgements(of: depositor, &state, in: directory)
    } catch let error as FolderError where error.isFullDisk {
      try remove(manifests, from: folder)
      return try writeAcknowledgements(of: depositor, &state, in: directory)
    }
    try remove(manifests, from: folder)
  }

  private func writeAcknowledgements(
    of depositor: Mailbox, _ state: inout Depositor, in directory: CarriedDirectory
  ) throws {
    guard state.isUnwritten else { return }
    state.acknowledgements.renumber(at: port.now().milliseconds)
    try directory.mail.makeFolder(DirectoryLayout.short(depositor)).makeFolder(ours)
      .place(state.acknowledgements)
    state.isUnwritten = false
  }

  private func remove(_ manifests: [Manifest], from folder: Folder) throws {
    for manifest in manifests {
      do {
        try folder.remove(manifest)
      } catch {
        // Where we may not, its depositor does.
        guard error.isOfOneFile else { throw error }
      }
    }
  }

  /// What killed copies have left for us.
  func tidy(_ directory: CarriedDirectory, _ age: RemainsAge) throws {
    guard let mailbox = try directory.mail.plainFolder(ours) else { return }
    for name in try mailbox.folderNames() where depositors[name] != nil {
      try mailbox.plainFolder(name)?.tidy(age)
    }
  }
}
