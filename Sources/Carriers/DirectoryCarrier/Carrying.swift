package import SharedFiles

/// Copies from one carried directory to another what is new there, and removes from the other what its reader has acknowledged.
/// Whatever is copied is whole, verified and durable before its manifest; a run that is killed is made again, and goes on.
package struct Carrying {
  private let source: CarriedDirectory
  private let target: CarriedDirectory
  private let remains: RemainsAge

  /// Throws `DirectoryError` where either is no directory of ours. The gate is the target's.
  package init(
    from source: String, to target: String, remains: RemainsAge = .standard,
    gate: @escaping FolderStep.Gate = { _ in }
  ) throws {
    self.remains = remains
    self.source = try CarriedDirectory(source)
    self.target = try CarriedDirectory(target, gate: gate)
  }

  /// `now`: seconds since 1970. A message that cannot be read is noted and left; smaller ones are copied to a full disk, which
  /// is thrown then.
  package func run(at now: Int) throws -> CarryReport {
    var report = CarryReport()
    try copyAcknowledgements(&report, at: now)
    try removeAcknowledged(&report)
    var fullDisk: FolderError?
    for (mailbox, depositor) in try pairs(in: source) {
      guard let folder = try source.folder(mailbox, depositor) else { continue }
      do {
        try copyMessages(from: folder, mailbox, depositor, &report)
      } catch let error as FolderError where error.isFullDisk {
        fullDisk = error
      }
    }
    if let fullDisk { throw fullDisk }
    return report
  }

  private func pairs(in directory: CarriedDirectory) throws -> [(String, String)] {
    var pairs: [(String, String)] = []
    for mailbox in try directory.mail.folderNames() {
      for depositor in try directory.mail.plainFolder(mailbox)?.folderNames() ?? [] {
        pairs.append((mailbox, depositor))
      }
    }
    return pairs
  }

  // MARK: - Acknowledgements

  private func copyAcknowledgements(_ report: inout CarryReport, at now: Int) throws {
    let time = UInt64(now) * 1_000
    for (mailbox, depositor) in try pairs(in: source) {
      let new = try source.folder(mailbox, depositor)?.acknowledgements() ?? Acknowledgements()
      let old = try target.folder(mailbox, depositor)?.acknowledgements() ?? Acknowledgements()
      guard new.isPlausible(at: time), new.number > old.number || !old.isPlausible(at: time) else {
        continue
      }
      try target.mail.makeFolder(mailbox).makeFolder(depositor).place(new)
      report.acknowledgementCount += 1
    }
  }

  /// What a depositor's messages were acknowledged by, as far as the target knows.
  private func acknowledgements(
    of mailbox: String, to depositor: String
  ) throws -> Acknowledgements {
    try target.folder(depositor, mailbox)?.acknowledgements() ?? Acknowledgements()
  }

  private func removeAcknowledged(_ report: inout CarryReport) throws {
    for (mailbox, depositor) in try pairs(in: target) {
      guard let folder = try target.folder(mailbox, depositor) else { continue }
      let known = try acknowledgements(of: mailbox, to: depositor)
      for manifest in try folder.manifests() where known.covers(manifest) {
        try folder.remove(manifest)
        report.removedCount += 1
      }
      try folder.tidy(remains)
    }
  }

  // MARK: - Messages

  private func copyMessages(
    from folder: Folder, _ mailbox: String, _ depositor: String, _ report: inout CarryReport
  ) throws {
    let known = try acknowledgements(of: mailbox, to: depositor)
    var there = try target.folder(mailbox, depositor)?.manifests() ?? []
    var fullDisk: FolderError?
    for manifest in try folder.manifests()
    where DirectoryLayout.short(manifest.mailbox) == mailbox
      && DirectoryLayout.short(manifest.depositor) == depositor && !known.covers(manifest)
    {
      let isReplaced = there.contains {
        $0.id == manifest.id
          || $0.slot != nil && $0.slot == manifest.slot && $0.written >= manifest.written
      }
      if isReplaced { continue }
      let place = try target.mail.makeFolder(mailbox).makeFolder(depositor)
      do {
        try MessageCopy(manifest: manifest, source: folder, target: place).run()
      } catch let error as FolderError where error.isFullDisk {
        fullDisk = error
        continue
      } catch DirectoryError.damaged(let path, let reason) {
        report.add(.init(path: path, reason: reason))
        continue
      }
      report.messageCount += 1
      report.byteCount += manifest.contentByteCount
      for old in there where old.slot != nil && old.slot == manifest.slot {
        try place.remove(old)
        report.removedCount += 1
      }
      there.removeAll { $0.slot != nil && $0.slot == manifest.slot }
      there.append(manifest)
    }
    if let fullDisk { throw fullDisk }
  }
}

extension CarriedDirectory {
  /// `nil`: that depositor has no folder in that mailbox.
  fileprivate func folder(_ mailbox: String, _ depositor: String) throws -> Folder? {
    try mail.plainFolder(mailbox)?.plainFolder(depositor)
  }
}
