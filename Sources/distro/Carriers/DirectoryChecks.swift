import Diagnostics
import DirectoryCarrier
import Host
import MessageFormat
import Sealing
import Sodium

/// A directory that somebody carries: whether it is there, is ours, takes what we write, and what waits in it.
struct DirectoryChecks {
  let plan: DirectoryPlan
  let identity: Identity
  /// Whose mailboxes we put something into.
  let readers: [PublicIdentity]

  func run(_ examination: inout Examination) {
    do {
      let probe = try DirectoryProbe(plan.place)
      examination.ok(.carrier, plan.place, "is there, and is prepared")
      try checkRights(probe, &examination)
      try checkRoom(probe, &examination)
      for reader in readers { try check(reader, probe, &examination) }
    } catch {
      examination.fail(.carrier, plan.place, error)
    }
  }

  private func checkRights(_ probe: DirectoryProbe, _ examination: inout Examination) throws {
    let closed = try probe.closedFolders(
      of: identity.public.mailbox, with: readers.map(\.mailbox))
    guard let first = closed.first else {
      return examination.ok(.carrier, plan.place, "can be written")
    }
    examination.fail(
      .carrier, first, "cannot be written by this user",
      do:
        "run doctor as the user of the service; mount it writable, for that user: chown, or uid= for FAT"
    )
  }

  private func checkRoom(_ probe: DirectoryProbe, _ examination: inout Examination) throws {
    let free = try DiskSpace(at: plan.place).freeByteCount
    let needed = max(plan.fileByteCount, 2 * UInt64(Limits.chunkByteCountMax))
    let text = "\(Quantity.bytes(free)) free"
    guard free >= needed else {
      return examination.fail(
        .disk, plan.place, "\(text), less than one file of a message may need",
        do: "make room, let the other side collect, or make 'file-mebibytes:' smaller")
    }
    examination.ok(.disk, plan.place, text)
    if let limit = probe.fileByteCountMax, limit < plan.fileByteCount {
      examination.fail(
        .limits, plan.place, "files end at \(limit) bytes there",
        do: "make 'file-mebibytes:' smaller, or raise LimitFSIZE= of the service")
    }
  }

  private func check(
    _ reader: PublicIdentity, _ probe: DirectoryProbe, _ examination: inout Examination
  ) throws {
    let own = identity.public.mailbox
    let out = try probe.waiting(for: reader.mailbox, from: own)
    let back = try probe.waiting(for: own, from: reader.mailbox)
    let text =
      "\(out.messageCount) messages wait for it, \(back.messageCount) from it wait for us"
    let subject = "\(reader.name) by way of \(plan.place)"
    guard out.messageCount < DirectoryLayout.waitingCountMax else {
      return examination.fail(
        .trust, subject, "\(text); no more are taken",
        do: "carry the directory to \(reader.name), and back")
    }
    examination.ok(.trust, subject, text)
  }
}
