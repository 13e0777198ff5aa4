import Host

/// What holds for the whole process: its clock and its limits.
enum HostChecks {
  /// Keys and what is decrypted with them lie in locked memory: a few pages for each.
  private static let lockedByteCountMin: UInt64 = 1 << 20
  /// Sockets, database, log and spool files of one role, with room.
  static let openFileCountMin: UInt64 = 256

  static func run(_ examination: inout Examination) {
    checkClock(&examination)
    checkLimits(&examination)
  }

  private static func checkClock(_ examination: inout Examination) {
    do {
      if try HostClock.isSynchronized() {
        examination.ok(.clock, "clock", "is synchronised")
      } else {
        examination.warn(
          .clock, "clock", "nothing synchronises it, as far as the kernel knows",
          do: "run an NTP client (systemd-timesyncd, chrony): what is 5 minutes ahead of its "
            + "reader's clock is refused as clock-skew, what is late as expired")
      }
    } catch {
      examination.fail(.clock, "clock", error)
    }
  }

  private static func checkLimits(_ examination: inout Examination) {
    do {
      let files = try ResourceLimit.openFiles.value() ?? .max
      if files < openFileCountMin {
        examination.fail(
          .limits, "open files", "\(files) are allowed, \(openFileCountMin) are needed",
          do: "LimitNOFILE= in the unit, or ulimit -n")
      } else {
        examination.ok(.limits, "open files", files == .max ? "no limit" : "\(files) are allowed")
      }
      let locked = try ResourceLimit.lockedMemory.value() ?? .max
      if locked < lockedByteCountMin {
        examination.warn(
          .limits, "locked memory", "\(locked) bytes are allowed: keys may be written to swap",
          do: "LimitMEMLOCK=64M in the unit, or ulimit -l")
      } else {
        examination.ok(
          .limits, "locked memory", locked == .max ? "no limit" : "\(locked) bytes are allowed")
      }
      if try ResourceLimit.coreFile.value() == 0 {
        examination.ok(.limits, "core files", "are never written: they would hold secrets")
      }
    } catch {
      examination.fail(.limits, "limits", error)
    }
  }
}
