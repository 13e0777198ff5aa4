import CarrierProtocol
import Mailboxes
import MessageFormat
import Sealing
import SharedFiles

/// What waits in our store goes into the directory, and leaves it when its readers have acknowledged it. Belongs to one thread.
final class OutgoingMail {
  private static let countMax = 16
  private static let skippedCountMax = 256
  private static let refusedPause: Duration = .seconds(5)
  private static let unreadablePause: Duration = .seconds(60)

  /// Ours in one mailbox, as far as it was looked at.
  private struct Box {
    var manifests: [MessageID: Manifest] = [:]
    var acknowledgements = Acknowledgements()
  }

  private let port: CarrierPort
  private let fileByteCount: UInt64
  private let reports: DirectoryReports
  private let ours: String
  /// What is not taken for a mailbox waits so long.
  private var holds: [Mailbox: ContinuousClock.Instant] = [:]
  /// Messages whose bytes cannot be read here.
  private var unreadable: [MessageID: ContinuousClock.Instant] = [:]
  /// When the readers' acknowledgements were looked at last.
  private var stamps: [Mailbox: [Int]] = [:]
  private var boxes: [Mailbox: Box] = [:]

  init(_ port: CarrierPort, fileByteCount: UInt64, _ reports: DirectoryReports) {
    (self.port, self.fileByteCount, self.reports) = (port, fileByteCount, reports)
    ours = DirectoryLayout.short(port.mailbox)
  }

  // MARK: - Into the directory

  /// All that waits and is taken. What concerns one message or mailbox is told and passed over; what concerns the whole
  /// directory is thrown, a full disk only after smaller messages had their turn.
  func deposit(
    into directory: CarriedDirectory, at now: ContinuousClock.Instant, proceed: () throws -> Void
  ) throws {
    holds = holds.filter { $0.value > now }
    unreadable = unreadable.filter { $0.value > now }
    boxes = [:]
    var skipped: Set<MessageID> = []
    var fullDisk: (any Error)?
    while skipped.count <= Self.skippedCountMax {
      let open = try port.turn.mailboxes(
        of: port.correspondents.subtracting(holds.keys), in: port.store, at: now)
      let passedOver = skipped.union(unreadable.keys)
      let waiting = try port.store.outgoing(for: open, countMax: Self.countMax + passedOver.count)
        .filter { !passedOver.contains($0.message.id) }
      if waiting.isEmpty { break }
      for message in waiting {
        try proceed()
        do {
          if try !deposit(message, into: directory, at: now, proceed: proceed) {
            skipped.insert(message.message.id)
          }
        } catch let error as FolderError where error.isFullDisk {
          fullDisk = fullDisk ?? error
          skipped.insert(message.message.id)
        }
      }
    }
    if let fullDisk { throw fullDisk }
  }

  /// `false`: some of it still waits.
  private func deposit(
    _ waiting: WaitingMessage, into directory: CarriedDirectory, at now: ContinuousClock.Instant,
    proceed: () throws -> Void
  ) throws -> Bool {
    let records: ChunkRecords
    do throws(MailboxError) {
      let chunks = try waiting.message.open()
      guard MessageID(ofHeader: try chunks[0]) == waiting.message.id else {
        throw .missing(waiting.message.id)
      }
      records = try ChunkRecords(chunks)
    } catch {
      guard error.isOfOneMessage else { throw error }
      unreadable[waiting.message.id] = now + Self.unreadablePause
      reports.unreadable(waiting.message.id, error, isLost: error.isLoss)
      return false
    }
    var stored: [Mailbox] = []
    var fullDisk: (any Error)?
    for mailbox in waiting.mailboxes where holds[mailbox] == nil {
      do {
        if try put(waiting, records, for: mailbox, into: directory, at: now, proceed: proceed) {
          stored.append(mailbox)
        }
      } catch let error as FolderError where error.isFullDisk {
        fullDisk = error
        break
      } catch let error as FolderError where error.isOfOneFile {
        hold(waiting, for: mailbox, until: now + Self.refusedPause, .fault, "\(error)")
      } catch let error as DirectoryError {
        hold(waiting, for: mailbox, until: now + Self.refusedPause, .fault, "\(error)")
      } catch let error as MailboxError where error.isOfOneMessage {
        unreadable[waiting.message.id] = now + Self.unreadablePause
        reports.unreadable(waiting.message.id, error, isLost: error.isLoss)
        break
      }
    }
    if !stored.isEmpty {
      try port.delivered([
        WaitingMessage(message: waiting.message, mailboxes: stored, slot: waiting.slot)
      ])
    }
    if let fullDisk { throw fullDisk }
    return stored.count == waiting.mailboxes.count
  }

  /// `false`: that mailbox takes no more of ours for now.
  private func put(
    _ waiting: WaitingMessage, _ records: ChunkRecords, for mailbox: Mailbox,
    into directory: CarriedDirectory, at instant: ContinuousClock.Instant,
    proceed: () throws -> Void
  ) throws -> Bool {
    let box = try boxes[mailbox] ?? box(of: mailbox, in: directory)
    boxes[mailbox] = box
    let (message, slot) = (waiting.message, waiting.slot)
    if box.acknowledgements.contains(message.id) { return true }
    if box.manifests[message.id] != nil {
      // A run that was killed may have left it without the last sync.
      try folderOfOurs(for: mailbox, in: directory)?.sync()
      return true
    }
    let replaced = box.manifests.values.filter { $0.slot != nil && $0.slot == slot }
    guard box.manifests.count - replaced.count < DirectoryLayout.waitingCountMax else {
      hold(
        waiting, for: mailbox, until: instant + Self.refusedPause, .overQuota,
        "\(box.manifests.count) messages wait there")
      return false
    }
    let folder = try directory.mail.makeFolder(DirectoryLayout.short(mailbox)).makeFolder(ours)
    let now = port.now().milliseconds
    let last =
      (box.manifests.values.map(\.written) + box.acknowledgements.entries.map(\.written))
      .filter { $0 < now + DirectoryLayout.clockMillisecondsMax }.max() ?? 0
    let deposit = MessageDeposit(
      message: message, mailbox: mailbox, depositor: port.mailbox, slot: slot,
      written: max(now, last + 1), fileByteCount: fileByteCount)
    let end = Manifest.contentByteCount(of: message.size)
    let manifest = try deposit.run(records, into: folder) { done in
      let chunkCount = UInt64(message.size.chunkCount)
      port.moved([mailbox], UInt32(chunkCount * done / end), message.size.chunkCount)
      try proceed()
    }
    boxes[mailbox]?.manifests[message.id] = manifest
    for old in replaced {
      try folder.remove(old)
      boxes[mailbox]?.manifests[old.id] = nil
    }
    return true
  }

  private func hold(
    _ waiting: WaitingMessage, for mailbox: Mailbox, until end: ContinuousClock.Instant,
    _ reason: CarrierRefusal, _ detail: String
  ) {
    holds[mailbox] = end
    reports.refused(
      RefusedMessage(
        message: waiting.message.id, mailbox: mailbox, reason: reason, detail: detail))
  }

  // MARK: - Out of it

  /// What readers have acknowledged since the last look.
  func removeAcknowledged(from directory: CarriedDirectory) throws {
    guard let mailbox = try directory.mail.plainFolder(ours) else { return }
    for reader in port.correspondents {
      guard let folder = try mailbox.plainFolder(DirectoryLayout.short(reader)),
        let status = try folder.status(of: DirectoryLayout.acknowledgementsName),
        status.stamp != stamps[reader]
      else { continue }
      let box = try box(of: reader, in: directory)
      if let own = try folderOfOurs(for: reader, in: directory) {
        for manifest in box.manifests.values where box.acknowledgements.contains(manifest.id) {
          try own.remove(manifest)
        }
      }
      stamps[reader] = status.stamp
    }
  }

  /// What killed runs have left, what a copy has brought back that was acknowledged, and what has lain there for so long
  /// that every applier would refuse it.
  func tidy(_ directory: CarriedDirectory, _ age: RemainsAge) throws {
    let now = port.now().milliseconds
    for reader in port.correspondents {
      guard let folder = try folderOfOurs(for: reader, in: directory) else { continue }
      let box = try box(of: reader, in: directory)
      for manifest in box.manifests.values {
        let age = now - min(now, manifest.written)
        if age > Limits.storedMillisecondsMax || box.acknowledgements.contains(manifest.id) {
          try folder.remove(manifest)
        }
      }
      try folder.tidy(age)
    }
  }

  private func folderOfOurs(
    for reader: Mailbox, in directory: CarriedDirectory
  ) throws(FolderError) -> Folder? {
    try directory.mail.plainFolder(DirectoryLayout.short(reader))?.plainFolder(ours)
  }

  private func box(of reader: Mailbox, in directory: CarriedDirectory) throws -> Box {
    var box = Box()
    for manifest in try folderOfOurs(for: reader, in: directory)?.manifests() ?? []
    where manifest.mailbox == reader && manifest.depositor == port.mailbox {
      box.manifests[manifest.id] = manifest
    }
    if let mailbox = try directory.mail.plainFolder(ours),
      let folder = try mailbox.plainFolder(DirectoryLayout.short(reader))
    {
      box.acknowledgements = try folder.acknowledgements()
    }
    return box
  }
}
